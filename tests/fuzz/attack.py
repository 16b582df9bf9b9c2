"""One attacker: a connection, a seed, and so many malformed requests."""

from __future__ import annotations

import http.client
import random
import time
from collections import Counter

from cds.hooks.messages import Answer, NotValid, OperationOutcome, check_answer
from tests.fuzz.bodies import malformed
from tests.hooks.test_service import rich_requests

_REFUSED = (400, 412, 413)
_SECONDS = 2


def fault_of(status: int, content: bytes) -> str:
    """What is wrong with an answer to a malformed request; empty for nothing."""
    try:
        if status == 200:
            check_answer(content)
            topics = [card.source.topic.code for card in Answer.model_validate_json(content).cards]
            failed = topics == ["notAssessed"] and b"could not be evaluated" in content
            return "the rules failed" if failed else ""
        OperationOutcome.model_validate_json(content)
    except (ValueError, NotValid) as error:
        return f"an answer that breaks the models ({type(error).__name__})"
    return "" if status in _REFUSED else f"status {status}"


def attack(port: int, count: int, seed: int) -> tuple[Counter[int], list[tuple[str, bytes]], float]:
    """Statuses by number, faults with their bodies, and the longest wait."""
    chance, contents = random.Random(seed), rich_requests()
    seen, faults, longest = Counter[int](), list[tuple[str, bytes]](), 0.0
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    for _ in range(count):
        hook, body = malformed(chance, contents)
        began = time.monotonic()
        try:
            connection.request(
                "POST", f"/cds-services/sirolimus-itp-{hook}", body, {"content-type": "application/json"}
            )
            answer = connection.getresponse()
            fault = fault_of(answer.status, answer.read())
            seen[answer.status] += 1
        except (OSError, http.client.HTTPException) as error:
            fault = f"no answer ({type(error).__name__})"
            connection.close()
        waited = time.monotonic() - began
        longest = max(longest, waited)
        if fault or waited > _SECONDS:
            faults.append((fault or f"{waited:.1f} s", body))
    connection.close()
    return seen, faults, longest
