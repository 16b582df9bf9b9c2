"""A FHIR server of the tests, over real sockets, that can be as bad as servers are."""

from __future__ import annotations

import gzip
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from tests.charts import Resource

# 50 MB in few bytes. Made once: compressed anew in each of seven threads, it kept answers without a fault from being sent in time.
_BOMB = gzip.compress(b" " * 1_000_000) * 50


class Stub:
    """Answers by type; ``fault`` says what it does wrong, for which types; remembers what it was asked, with which token."""

    def __init__(self, resources: list[Resource]) -> None:
        self.resources = list(resources)
        self.fault: dict[str, str] = {}
        self.answers: dict[str, Resource] = {}  # what a read gets instead
        self.asked: list[tuple[str, str]] = []
        self.base = ""
        self.finished: set[str] = set()  # slow answers that were given to their end

    def of(self, kind: str) -> list[Resource]:
        return [each for each in self.resources if each["resourceType"] == kind]


def _searchset(found: list[Resource], **more: Any) -> Resource:
    return {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": each} for each in found]} | more


def _handler(stub: Stub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None: ...

        def do_GET(self) -> None:
            path = urlsplit(self.path)
            kind, _, rid = path.path.removeprefix("/fhir/").partition("/")
            stub.asked.append((self.path, self.headers.get("authorization", "")))
            if "?" in self.path and "page=" in path.query:
                kind = kind or path.query
            fault = stub.fault.get(kind, "")
            found = stub.of(kind)
            if rid:
                found = [each for each in found if each["id"] == rid] or found
                found = [stub.answers[f"{kind}/{rid}"]] if f"{kind}/{rid}" in stub.answers else found
            if fault.isdigit():
                self.say(int(fault), {"resourceType": "OperationOutcome", "issue": []})
            elif fault == "redirect":
                self.send_response(302)
                self.send_header("location", "http://127.0.0.1:9/fhir/x")
                self.end_headers()
            elif fault == "hang":
                time.sleep(4)
                stub.finished.add(fault)
            elif fault == "drip":
                self.send_response(200)
                self.send_header("content-type", "application/fhir+json")
                self.end_headers()
                for _ in range(40):
                    self.wfile.write(b" ")
                    self.wfile.flush()
                    time.sleep(0.1)
                stub.finished.add(fault)
            elif fault == "truncated":
                self.raw(b'{"resourceType": "Bundle", "entry": [', 1_000)
            elif fault == "html":
                self.raw(b"<html>login</html>", None, "text/html")
            elif fault == "bomb":
                self.raw(_BOMB, None, "application/json", "gzip")
            elif fault == "large":
                self.raw(b'{"resourceType": "Bundle", "x": "' + b"x" * 5_000_000 + b'"}')
            elif fault == "outcome":
                self.say(200, {"resourceType": "OperationOutcome", "issue": [{"severity": "error"}]})
            elif fault == "pages" and "page=2" not in path.query:
                first = _searchset(found[:1], link=[{"relation": "next", "url": f"{stub.base}/{kind}?page=2"}])
                self.say(200, first)
            elif fault == "pages":
                self.say(200, _searchset(found[1:]))
            elif fault == "loop":
                self.say(200, _searchset(found, link=[{"relation": "next", "url": f"{stub.base}/{kind}?page=2"}]))
            elif fault == "elsewhere":
                self.say(200, _searchset(found, link=[{"relation": "next", "url": "http://127.0.0.1:9/fhir/x?page=2"}]))
            elif rid:
                self.say(
                    200 if found else 404, found[0] if found else {"resourceType": "OperationOutcome", "issue": []}
                )
            else:
                self.say(200, _searchset(found))

        def say(self, status: int, value: Resource) -> None:
            body = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("content-type", "application/fhir+json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def raw(
            self, body: bytes, length: int | None = None, kind: str = "application/fhir+json", coding: str = ""
        ) -> None:
            self.send_response(200)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(length or len(body)))
            if coding:
                self.send_header("content-encoding", coding)
            self.end_headers()
            try:
                self.wfile.write(body)
            except OSError:
                self.close_connection = True

    return Handler


@contextmanager
def serving(resources: list[Resource]) -> Iterator[Stub]:
    """The server while it runs."""
    stub = Stub(resources)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(stub))
    server.daemon_threads = True
    server.block_on_close = False
    stub.base = f"http://127.0.0.1:{server.server_address[1]}/fhir"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield stub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
