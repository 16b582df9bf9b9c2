"""The service as a user starts it: a process of its own on a free port, spoken to over sockets."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

COMMAND = "from cds.cli.main import run; import sys; sys.argv = ['sirolimus-cds', 'serve', '--port', '%d']; run()"
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Running:
    """A service that was started by its command; what it logs goes to a file, since a pipe that is full would stop it."""

    process: subprocess.Popen[str]
    port: int
    log: Path

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def call(
        self, method: str = "GET", path: str = "/readyz", body: bytes | None = None, **headers: str
    ) -> tuple[int, bytes]:
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)) as connection:
            connection.request(method, path, body, {"content-type": "application/json", **headers})
            answer = connection.getresponse()
            return answer.status, answer.read()

    def stop(self) -> tuple[int, list[dict[str, Any]]]:
        """The exit code and the lines of the log."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=30)
        return self.process.returncode, self.logged()

    def logged(self) -> list[dict[str, Any]]:
        lines = [
            line
            for line in self.log.read_text().splitlines()
            if not line.startswith(("Listening on ", "The workbench is at "))
        ]
        return [json.loads(line) for line in lines]

    def processes(self) -> list[int]:
        """The process, its workers and theirs."""
        found = [self.process.pid]
        for each in found:
            for task in Path(f"/proc/{each}/task").glob("*/children"):
                found += map(int, task.read_text().split())
        return found

    def cpu(self) -> float:
        """CPU seconds that the process and its workers have used."""
        fields = [Path(f"/proc/{each}/stat").read_text().rsplit(")", 1)[1].split() for each in self.processes()]
        return sum(int(each[11]) + int(each[12]) for each in fields) / _TICKS

    def resident(self) -> float:
        """Megabytes in memory, of the process that was started."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def free_ports(number: int) -> int:
    """The first of so many free ports in a row: each worker has a port of its own for metrics."""
    while True:
        first = free_port()
        with contextlib.ExitStack() as held:
            try:
                for port in range(first, first + number):
                    held.enter_context(socket.create_server(("127.0.0.1", port)))
            except (OSError, OverflowError):
                continue
        return first


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


@contextlib.contextmanager
def started(
    settings: Mapping[str, Any] | None = None,
    code: str = COMMAND,
    ready: str = "/readyz",
    command: Sequence[str | Path] = (),
) -> Iterator[Running]:
    """A service with ``settings``, once it answers at ``ready``; ended with all its workers. A ``command`` is given the port."""
    port = free_port()
    environ = os.environ | {f"SIROLIMUS_CDS_{name.upper()}": str(value) for name, value in (settings or {}).items()}
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        with log.open("w") as written:
            process = subprocess.Popen(
                [*command, str(port)] if command else [sys.executable, "-c", code % port],
                env=environ,
                stdin=subprocess.DEVNULL,
                stderr=written,
                text=True,
                start_new_session=True,
            )
        running = Running(process, port, log)
        try:
            for _ in range(600):
                try:
                    assert running.call(path=ready)[0] == 200
                    break
                except OSError:
                    assert process.poll() is None, log.read_text()
                    time.sleep(0.05)
            else:
                raise AssertionError("it did not start")
            yield running
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # with its workers
            process.wait()
