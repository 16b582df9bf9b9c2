"""Metrics of one worker for Prometheus: no patient, no user, no text from a request or a comment."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

from cds.compiled.knowledge import Knowledge
from cds.hooks.discovery import SERVICES
from cds.records.decision import Decision

if TYPE_CHECKING:
    from http.server import HTTPServer

_SECONDS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)


class NoPort(Exception):
    """None of the ports for metrics is free."""


class Metrics:
    """What one worker has done since it started. Labels are our own names: services, rules, facts, statuses, reasons for refusal."""

    def __init__(self) -> None:
        from prometheus_client import CollectorRegistry, Counter, Histogram, Info

        self.registry = CollectorRegistry()

        def counter(name: str, says: str, *labels: str) -> Counter:
            return Counter(f"sirolimus_cds_{name}", says, labels, registry=self.registry)

        self._requests = counter("requests", "Calls that were answered.", "service", "status")
        self._refused = counter(
            "refused_tokens", "Calls that were not authenticated, by the claim that failed.", "reason"
        )
        self._rules = counter("rules", "Rules that held, and where they went.", "rule", "indicator", "place")
        self._gaps = counter("gaps", "What could not be judged, by the fact that lacks.", "fact")
        self._faults = counter(
            "faults", "Evaluations that failed; 'engine fault': the two engines did not agree, or one failed.", "kind"
        )
        self._fetched = counter("fetched", "Queries to FHIR servers that were answered.")
        self._lost = counter("lost_decisions", "Decisions that were to be recorded and are not.")
        self._seconds = Histogram(
            "sirolimus_cds_request_seconds",
            "Seconds to an answer.",
            ("service",),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._commits = Histogram(
            "sirolimus_cds_commit_seconds",
            "Seconds until a decision was recorded.",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._served = Info("sirolimus_cds_knowledge", "The rules that are served.", registry=self.registry)

    def serve_by(self, knowledge: Knowledge) -> None:
        """Set the rules that are served."""
        self._served.info({"knowledge": knowledge.hash, "protocol": knowledge.protocol.id})

    def answered(self, service: str, said: dict[str, Any]) -> None:
        """A call was answered: ``said`` holds the fields of its log line."""
        name = service if service in SERVICES else ""
        self._requests.labels(name, str(said["status"])).inc()
        self._seconds.labels(name).observe(said["ms"] / 1000)
        self._fetched.inc(said.get("fetched", 0))
        if said["status"] == 401:
            self._refused.labels(said.get("reason", "")).inc()

    def decided(self, decision: Decision) -> None:
        """A chart was judged."""
        for each in decision.verdict.findings:
            self._rules.labels(each.rule, each.indicator, each.place).inc()
        for gap in decision.verdict.gaps:
            self._gaps.labels(gap.fact).inc()

    def failed(self, kind: str) -> None:
        """An evaluation failed."""
        self._faults.labels(kind).inc()

    def recorded(self, seconds: float) -> None:
        """A decision is on the disk."""
        self._commits.observe(seconds)

    def lost(self) -> None:
        """A decision was not recorded."""
        self._lost.inc()


def serve(metrics: Metrics, host: str, port: int, workers: int) -> HTTPServer:
    """Serve metrics on the first free port from ``port`` on, among as many ports as there are workers. Raises NoPort."""
    from prometheus_client import start_http_server

    for each in range(port, port + workers):
        try:
            server, _ = start_http_server(each, host, metrics.registry)
        except OSError:  # another worker has it
            continue
        return server
    raise NoPort


def free_ports(host: str, port: int, workers: int) -> None:
    """Raises NoPort if one of the workers' ports is used by another process."""
    for each in range(port, port + workers):
        with socket.socket() as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                tried.bind((host, each))
            except OSError:
                raise NoPort from None
