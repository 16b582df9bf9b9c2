"""A FHIR server with a bulk export, that holds its callers to the protocol: SMART backend services, $export, and plain searches.

A stub: no bulk server that others wrote installs from a registry. Whatever a caller does wrong is in ``wrong``, and refused.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote

import jwt
import uvicorn
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from cds.chart.prefetch import PREFETCH_TYPES
from tests.charts import Resource
from tests.hooks.process import free_port

CLIENT, TOKEN = "a-study", "a-token-of-the-tests"
_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_PLACE = {"Patient": "_id", "Medication": "_id"}


class BulkServer:
    """What it holds, whom it lets in, and what was asked of it."""

    def __init__(self, resources: Sequence[Resource], where: Path) -> None:
        self.resources = list(resources)
        self.key = ec.generate_private_key(ec.SECP384R1())
        self.key_file = where / "key.pem"
        self.key_file.write_bytes(self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        self.port = free_port()
        self.base = f"http://127.0.0.1:{self.port}/fhir"
        self.wrong: list[str] = []
        self.kicked_off: list[dict[str, list[str]]] = []
        self.deleted = 0
        self._polled = 0
        self._seen: set[str] = set()

    def application(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/fhir/metadata", self._metadata),
                Route("/fhir/.well-known/smart-configuration", self._configuration),
                Route("/fhir/token", self._token, methods=["POST"]),
                Route("/fhir/$export", self._kick_off),
                Route("/fhir/status/{number:int}", self._status, methods=["GET", "DELETE"]),
                Route("/fhir/files/{number:int}/{kind}", self._file),
                Route("/fhir/{kind}", self._search),
                Route("/fhir/{kind}/{name}", self._read),
            ]
        )

    def _metadata(self, _: Request) -> Response:
        kinds = [{"type": kind} for kind in [*PREFETCH_TYPES.values(), "Medication"]]
        return JSONResponse(
            {"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1", "rest": [{"mode": "server", "resource": kinds}]}
        )  # fmt: skip

    def _configuration(self, _: Request) -> Response:
        return JSONResponse(
            {"token_endpoint": f"{self.base}/token", "capabilities": ["client-confidential-asymmetric"]}
        )

    async def _token(self, request: Request) -> Response:
        form = parse_qs((await request.body()).decode())
        try:
            claims = jwt.decode(
                form["client_assertion"][0], self.key.public_key(), ["ES384"], audience=f"{self.base}/token",
                options={"require": ["exp", "jti", "iss", "sub"]},
            )  # fmt: skip
            assert form["grant_type"] == ["client_credentials"] and form["client_assertion_type"] == [_ASSERTION]
            assert claims["iss"] == claims["sub"] == CLIENT and claims["exp"] <= time.time() + 300
            assert claims["jti"] not in self._seen and "system/" in form["scope"][0]
        except (KeyError, AssertionError, jwt.InvalidTokenError) as error:
            return self._refused(f"token: {error!r}", 401)
        self._seen.add(claims["jti"])
        return JSONResponse(
            {"access_token": TOKEN, "token_type": "bearer", "expires_in": 300, "scope": form["scope"][0]}
        )

    def _refused(self, why: str, status: int = 400) -> Response:
        self.wrong.append(why)
        return JSONResponse({"error": "invalid_request", "error_description": why}, status)

    def _let_in(self, request: Request) -> bool:
        return request.headers.get("authorization") == f"Bearer {TOKEN}"

    def _kick_off(self, request: Request) -> Response:
        if not self._let_in(request):
            return JSONResponse({}, 401)  # a client may try without, first
        if request.headers.get("prefer") != "respond-async" or "fhir+json" not in request.headers.get("accept", ""):
            return self._refused("kick-off: respond-async and application/fhir+json are wanted")
        self.kicked_off.append(parse_qs(request.url.query))
        self._polled = 0
        return Response(status_code=202, headers={"content-location": f"{self.base}/status/{len(self.kicked_off)}"})

    def _status(self, request: Request) -> Response:
        if not self._let_in(request):
            return JSONResponse({}, 401)
        if request.method == "DELETE":
            self.deleted += 1
            return Response(status_code=202)
        self._polled += 1
        if self._polled == 1:
            return Response(status_code=202, headers={"retry-after": "0", "x-progress": "half"})
        number = request.path_params["number"]
        kinds = {each["resourceType"] for each in self._asked(number)}
        output = [{"type": kind, "url": f"{self.base}/files/{number}/{kind}"} for kind in sorted(kinds)]
        return JSONResponse(
            {"transactionTime": "2024-07-08T20:00:00Z", "request": f"{self.base}/$export", "requiresAccessToken": True,
             "output": output, "error": []}
        )  # fmt: skip

    def _asked(self, number: int) -> list[Resource]:
        """What an export holds: the types that were named, and of them what the filters let through."""
        asked = self.kicked_off[number - 1]
        kinds = set(asked["_type"][0].split(","))
        filters = [unquote(each) for text in asked.get("_typeFilter", []) for each in text.split(",")]
        codes = {token for each in filters for token in each.partition("code=")[2].split(",")}
        return [
            each for each in self.resources if each["resourceType"] in kinds and (not codes or codes & _tokens(each))
        ]

    def _file(self, request: Request) -> Response:
        if not self._let_in(request) or "ndjson" not in request.headers.get("accept", ""):
            return self._refused("file: a token and application/fhir+ndjson are wanted")
        found = self._asked(request.path_params["number"])
        lines = [json.dumps(each) for each in found if each["resourceType"] == request.path_params["kind"]]
        return PlainTextResponse("".join(f"{line}\n" for line in lines), media_type="application/fhir+ndjson")

    def _search(self, request: Request) -> Response:
        if not self._let_in(request):
            return JSONResponse({}, 401)
        kind = request.path_params["kind"]
        of = request.query_params.get(_PLACE.get(kind, "patient"), "")
        found = [each for each in self.resources if each["resourceType"] == kind and of in _whose(each)]
        entries = [{"resource": each} for each in found]
        return JSONResponse({"resourceType": "Bundle", "type": "searchset", "entry": entries, "link": []})

    def _read(self, request: Request) -> Response:
        if not self._let_in(request):
            return JSONResponse({}, 401)
        kind, name = request.path_params["kind"], request.path_params["name"]
        found = [each for each in self.resources if (each["resourceType"], each["id"]) == (kind, name)]
        return JSONResponse(found[0]) if found else JSONResponse({}, 404)


def _tokens(resource: Resource) -> set[str]:
    return {
        f"{each['system']}|{each['code']}" for each in resource.get("medicationCodeableConcept", {}).get("coding", [])
    }


def _whose(resource: Resource) -> set[str]:
    named: dict[str, Any] = resource.get("subject") or resource.get("patient") or {}
    return {
        resource["id"] if resource["resourceType"] in _PLACE else named.get("reference", "").removeprefix("Patient/")
    }


@contextmanager
def serving(resources: Sequence[Resource], where: Path) -> Iterator[BulkServer]:
    """The server, in a thread of this process."""
    bulk = BulkServer(resources, where)
    config = uvicorn.Config(bulk.application(), host="127.0.0.1", port=bulk.port, log_config=None)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield bulk
    finally:
        server.should_exit = True
        thread.join()
