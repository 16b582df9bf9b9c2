"""``python -m tests.population.stages EXPORT FOLDER``: CPU seconds of each stage of a run, as JSON."""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from cds.knowledge.load import load
from cds.population.export import find_export
from cds.population.judge import Wanted
from cds.population.run import Run
from tests.population.exports import AT

T = TypeVar("T")
WORKERS = 2


def cpu() -> float:
    """CPU seconds of this process and of those that it waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def unwatched(label: str, items: Iterable[T], length: int) -> Iterator[T]:
    yield from items


def main(export: Path, work: Path) -> dict[str, float]:
    """The seconds of the filter, of grouping and of judging; grouping filters, too, which is taken off."""
    run = Run(find_export(export), load(), Wanted((datetime.fromisoformat(AT),)), work)
    run.begin(resume=False)
    marks = [cpu()]
    run.who(WORKERS, unwatched)
    marks.append(cpu())
    found = run.gathered(WORKERS, unwatched)
    marks.append(cpu())
    list(run.judged(found, WORKERS, unwatched))
    choose, group, judge = (later - earlier for earlier, later in zip(marks, [*marks[1:], cpu()], strict=True))
    return {"filter": choose, "group": max(0.0, group - choose), "judge": judge}


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), Path(sys.argv[2]))))
