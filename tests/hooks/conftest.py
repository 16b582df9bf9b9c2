"""A client of the service, on day 20 of every course, and the service as a process."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from cds.engine import CheckedEngine
from cds.hooks.settings import Issuer, Settings
from tests.hooks.doors import MADE, client_of
from tests.hooks.process import Running, started


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    while MADE:
        MADE.pop().state.service.recording.close()


@pytest.fixture
def client(engine: CheckedEngine) -> TestClient:
    return client_of(engine)


@pytest.fixture
def start() -> Iterator[Callable[..., Running]]:
    """Starts the service as a process, with settings; all are ended behind the test."""
    with contextlib.ExitStack() as stack:
        yield lambda **settings: stack.enter_context(started(settings))


@pytest.fixture
def issuer(tmp_path: Path) -> Issuer:
    """An EHR that may call, with its keys in a file."""
    from tests.hooks.tokens import BASE, EC, RSA, SHORT, SMALL, write_keys  # making keys takes a while

    file = tmp_path / "keys.json"
    write_keys(file, (EC, "ec"), (RSA, "rsa"), (SHORT, "short"), (SMALL, "small"))
    return Issuer(iss="https://ehr.example", jwks_file=file, audiences=[BASE], tenants=["ward"])


@pytest.fixture
def caller(engine: CheckedEngine, issuer: Issuer) -> TestClient:
    """A client of a service that this EHR may call."""
    return client_of(engine, Settings(issuers=[issuer]))
