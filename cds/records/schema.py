"""The tables, as steps from one version of them to the next. A step that was released is never changed; a new step is added."""

from __future__ import annotations

from cds.records.database import Connection, Unavailable

STEPS: tuple[tuple[str, ...], ...] = (
    (
        # one row per evaluation; ``at`` and ``now`` differ if the hospital's clock was set otherwise
        """CREATE TABLE decisions (
            id TEXT PRIMARY KEY, at DOUBLE PRECISION NOT NULL, request TEXT NOT NULL, hook TEXT NOT NULL,
            issuer TEXT NOT NULL, patient TEXT NOT NULL, now TEXT NOT NULL, outcome TEXT NOT NULL, knowledge TEXT NOT NULL,
            protocol TEXT NOT NULL, program TEXT NOT NULL, ms DOUBLE PRECISION NOT NULL, verdict {bytes} NOT NULL,
            facts {bytes}, input {bytes})""",
        "CREATE INDEX decisions_at ON decisions (at)",
        "CREATE INDEX decisions_request ON decisions (request)",
        "CREATE INDEX decisions_patient ON decisions (patient, at)",
        # one row per rule that held
        """CREATE TABLE findings (
            decision TEXT NOT NULL, rule TEXT NOT NULL, version TEXT NOT NULL, indicator TEXT NOT NULL,
            place TEXT NOT NULL, card TEXT NOT NULL, leads INTEGER NOT NULL, PRIMARY KEY (decision, rule))""",
        "CREATE INDEX findings_card ON findings (card)",
        "CREATE INDEX findings_rule ON findings (rule)",
        # feedback on a card; feedback on cards that are not ours is kept, too, and flagged
        """CREATE TABLE feedback (
            card TEXT NOT NULL, outcome TEXT NOT NULL, at DOUBLE PRECISION NOT NULL, received DOUBLE PRECISION NOT NULL,
            service TEXT NOT NULL, issuer TEXT NOT NULL, known INTEGER NOT NULL, suggestions TEXT NOT NULL,
            reason TEXT NOT NULL, system TEXT NOT NULL, display TEXT NOT NULL, comment TEXT NOT NULL,
            PRIMARY KEY (card, outcome, at, issuer))""",
        # tokens that were used, until they expire
        "CREATE TABLE tokens (token {bytes} PRIMARY KEY, until DOUBLE PRECISION NOT NULL)",
        "CREATE INDEX tokens_until ON tokens (until)",
    ),
    (
        # what a card rested on: a card that was set aside is held back until this changes
        "ALTER TABLE findings ADD COLUMN basis TEXT NOT NULL DEFAULT ''",
    ),
)
NEWEST = len(STEPS)
COLUMNS = (
    "id", "at", "request", "hook", "issuer", "patient", "now", "outcome", "knowledge", "protocol", "program", "ms",
    "verdict", "facts", "input",
)  # fmt: skip
"""The columns of a decision, in the order of the table."""


def upgrade(connection: Connection, version: int, kind_of_bytes: str) -> None:
    """Bring the tables from ``version`` to the newest, inside the transaction of ``connection``."""
    for step in STEPS[version:]:
        for statement in step:
            connection.execute(statement.replace("{bytes}", kind_of_bytes))


def refuse_newer(version: int) -> None:
    """Raises Unavailable where the tables were made by a newer program."""
    if version > NEWEST:
        raise Unavailable(
            f"the records have schema {version}, which a newer version of the program made; this one knows {NEWEST}. "
            "Nothing was changed"
        )


def is_behind(version: int) -> bool:
    """Whether the tables must be changed before they are used. Raises Unavailable if they are newer than this program."""
    refuse_newer(version)
    return version < NEWEST
