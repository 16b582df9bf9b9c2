"""Calls for the load: signed, each with a token of its own, over the patients of the benchmark."""

from __future__ import annotations

import json
import sys
import time
import uuid
from collections.abc import Sequence
from pathlib import Path

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

from tests.charts import PATIENT
from tests.hooks.doors import VIEW

OURS = sys.executable, "-m", "tests.load.ours"
"""The service with its clock on the day of the bench's patients; the port is added."""
SLOW_TURNS = "TESTS_SLOW_TURNS"
"""The variable of the environment that names the file for long turns of a loop."""
LONG = 0.05
"""Seconds that one turn of the loop may take."""
AUDIENCE = "https://cds.example/cds-services"
_KEY = ec.generate_private_key(ec.SECP384R1())


def settings_file(folder: Path, server: str = "") -> Path:
    """Settings that let only our tokens in, each once, with the store that workers share; ``server`` may be called back."""
    key = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(_KEY.public_key())) | {"kid": "load"}
    (folder / "keys.json").write_text(json.dumps({"keys": [key]}))
    file = folder / "settings.toml"
    file.write_text(
        f'replay_file = "{folder}/replay.sqlite"\n[[issuers]]\niss = "https://ehr.example"\n'
        f'jwks_file = "{folder}/keys.json"\naudiences = ["{AUDIENCE}"]\n'
        + (f'fhir_servers = ["{server}"]\n' if server else "")
    )
    return file


def token() -> str:
    now = int(time.time())
    claims = {"iss": "https://ehr.example", "aud": f"{AUDIENCE}{VIEW.removeprefix('/cds-services')}", "iat": now}
    return jwt.encode(claims | {"exp": now + 3000, "jti": str(uuid.uuid4())}, _KEY, "ES384", headers={"kid": "load"})


def messages(bodies: Sequence[bytes], count: int, signed: bool) -> list[bytes]:
    """Whole HTTP calls of patient-view."""
    made = []
    for number in range(count):
        body = bodies[number % len(bodies)]
        bearer = f"authorization: Bearer {token()}\r\n" if signed else ""
        head = f"POST {VIEW} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n{bearer}content-length: {len(body)}\r\n\r\n"
        made.append(head.encode() + body)
    return made


def hanging(server: str, count: int) -> list[bytes]:
    """Calls that bring nothing but the address of a FHIR server."""
    body = {
        "hook": "patient-view",
        "hookInstance": str(uuid.UUID(int=1)),
        "fhirServer": server,
        "context": {"userId": "Practitioner/example", "patientId": PATIENT},
    }
    return messages([json.dumps(body).encode()], count, True)


def check_cost(count: int = 300) -> float:
    """CPU milliseconds that verifying one signature takes by itself."""
    public, signed = _KEY.public_key(), [token() for _ in range(count)]
    begun = time.process_time()
    for each in signed:
        jwt.decode(each, public, ["ES384"], audience=f"{AUDIENCE}{VIEW.removeprefix('/cds-services')}")
    return (time.process_time() - begun) / count * 1000
