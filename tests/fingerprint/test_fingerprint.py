"""What the program says of 2,500 charts is what it said when the digest was committed: every fact, reason and card."""

from __future__ import annotations

from datetime import datetime

import pytest

from tests.fingerprint.__main__ import differences
from tests.fingerprint.corpus import Item, items
from tests.fingerprint.digest import digest, moved

pytestmark = [pytest.mark.slow, pytest.mark.untraced]


def test_nothing_moved_that_no_commit_names() -> None:
    assert differences() == [], "see `make fingerprint`; where it is meant, say so and `make fingerprint ARGS=--write`"


def test_a_fact_that_moves_on_one_chart_is_named_with_it() -> None:
    few = list(items(random=3))[-3:]
    later = [Item(each.name, each.body, _next_day(each.now), each.engine) for each in few[:1]]
    before, after = digest(few), digest([*later, *few[1:]])
    assert moved(before.charts, after.charts) == [few[0].name]
    assert any(name.startswith("fact ") for name in moved(before.names, after.names))


def _next_day(moment: datetime) -> datetime:
    return moment.replace(year=moment.year + 1)
