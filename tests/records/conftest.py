"""Stores of both kinds, made for one test each. PostgreSQL is started by the tests where its programs are installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest

from tests.conftest import RULES
from tests.hooks.conftest import _closed, start
from tests.hooks.process import free_port

__all__ = ["_closed", "start"]  # the service as the tests of its hooks have it

_FOUND = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
_LACKING = "PostgreSQL is not installed (apt-get install postgresql)"


@dataclass
class Server:
    """A PostgreSQL of the tests: its programs, its data, and how it is reached."""

    programs: Path
    data: Path
    port: int

    def run(self, program: str, *arguments: str) -> None:
        command = [str(self.programs / program), *arguments]
        if os.getuid() == 0:  # PostgreSQL does not run as root
            command = ["runuser", "-u", "postgres", "--", *command]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/")

    def start(self) -> None:
        options = f"-k {self.data.parent} -p {self.port} -c listen_addresses=127.0.0.1 -c fsync=off"
        self.run("pg_ctl", "-D", str(self.data), "-w", "-o", options, "-l", str(self.data.parent / "log"), "start")

    def stop(self, how: str = "fast") -> None:
        self.run("pg_ctl", "-D", str(self.data), "-w", "-m", how, "stop")

    def new_database(self) -> str:
        """The URL of an empty database."""
        name = f"records_{uuid4().hex}"
        self.run("createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", name)
        return f"postgresql://postgres@127.0.0.1:{self.port}/{name}"


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A PostgreSQL server; TESTS_NEED_POSTGRES makes a missing one a failure."""
    if not _FOUND:
        assert not os.environ.get("TESTS_NEED_POSTGRES"), _LACKING
        pytest.skip(_LACKING)
    folder = Path(tempfile.mkdtemp(prefix="sirolimus-postgres-"))
    if os.getuid() == 0:
        shutil.chown(folder, "postgres")
    server = Server(_FOUND[-1].parent, folder / "data", free_port())
    server.run("initdb", "-D", str(server.data), "-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-sync")
    server.start()
    yield server
    server.stop("immediate")
    shutil.rmtree(folder)


@pytest.fixture(params=["sqlite", "postgres"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a test may keep records."""
    if request.param == "sqlite":
        return str(tmp_path / "records.sqlite")
    server: Server = request.getfixturevalue("postgres")
    return server.new_database()


@pytest.fixture
def rules_folder(tmp_path: Path) -> Path:
    """The shipped rules as a copy that a test may change."""
    return Path(shutil.copytree(RULES, tmp_path / "rules"))


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    """A key of the patients' hashes, which PostgreSQL has none of beside it."""
    file = tmp_path / "patients.key"
    file.write_text("0123456789abcdef0123456789abcdef")
    return file
