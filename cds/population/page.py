"""The report on a cohort: one page that needs no network, without script."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from cds import __version__
from cds.compiled.knowledge import Knowledge
from cds.population import pictures
from cds.population.cohort import RESPONSES, STUDY, Share, Summary
from cds.population.rows import Member, Value
from cds.report.page import rendered, templates

_TEMPLATES = templates(Path(__file__).parent)


def page(
    summary: Summary, patients: Sequence[Member], values: Sequence[Value], knowledge: Knowledge, fewest: int
) -> str:
    """The page. Numbers of patients below ``fewest`` are not shown, nor are pictures if it is 2 or more: they show single patients."""

    def number(of: int) -> str:
        return str(of) if of == 0 or of >= fewest else f"<{fewest}"

    def share(of: Share) -> str:
        low, high = of.interval
        is_told = of.of > 0 and (of.number == 0 or of.number >= fewest)
        return f"{of.number} ({of.number / of.of:.0%}; {low:.0%} to {high:.0%})" if is_told else number(of.number)

    points = [each for each in summary.response_over_time if each.with_count >= max(fewest, 1)]
    weeks = [each for each in summary.levels_by_week if each.levels >= max(fewest, 1)]
    return rendered(
        _TEMPLATES,
        "population.html",
        images="data:",
        summary=summary,
        responses=RESPONSES,
        study=STUDY,
        number=number,
        share=share,
        points=points,
        over_time=pictures.over_time(points) if points and fewest < 2 else "",
        courses=pictures.courses(patients, values, datetime.fromisoformat(summary.at).date()) if patients and fewest < 2 else "",
        most=pictures.MOST_COURSES,
        levels=pictures.levels(weeks) if weeks and fewest < 2 else "",
        weeks=weeks,
        people=[row for row in patients if row.report] if fewest < 2 else [],
        protocol=knowledge.protocol,
        drafts=any(rule.status == "draft" for rule in knowledge.rules),
        version=__version__,
    )  # fmt: skip
