"""The types of arguments that come through a door: what is on record under the name of the argument.

``neutrophils_results: Results`` are the results of the test ``neutrophils``, ``sepsis_problems: Problems`` the conditions of that
name, ``rituximab_episodes: Episodes`` a drug of that value set as it was taken. An underscore replaces a hyphen.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from cds.chart.model import DrugUse, Event, Lab, Problem, Unread
from cds.course.episodes import Episode

UnitOf: TypeAlias = str
"""Our unit of a test, in words."""
Labs: TypeAlias = Sequence[Lab]
"""Every observation of a test, readable or not, in no particular order."""
Samples: TypeAlias = Sequence[Lab]
"""Readable results, newest first, one for each sample; of two that differ, the worse."""
Results: TypeAlias = Sequence[Lab]
"""Final results, newest first; a bound counts if it shows harm, and the list ends at one that may be harmless."""
History: TypeAlias = Sequence[Lab]
"""Final results, newest first, that are exact: what others are compared with."""
TestOrders: TypeAlias = Sequence[str]
"""The open orders of a test."""
UnreadOf: TypeAlias = Sequence[Unread]
"""What is on record of a value set and could not be read."""
Problems: TypeAlias = Sequence[Problem]
"""Conditions, active or not; those that are refuted were never read."""
Events: TypeAlias = Sequence[Event]
"""Procedures of a name, in no particular order."""
Uses: TypeAlias = Sequence[DrugUse]
"""Orders, statements and doses of the drugs of a value set, drafts among them."""
Episodes: TypeAlias = Sequence[Episode]
"""The same as they were taken: renewals joined, drafts left out."""
RoleUses: TypeAlias = Sequence[DrugUse]
"""Uses of every drug of a role: an ``inhibitor``, one of the ``first_line``, two roles as ``inhibitor_or_inducer``."""
RoleEpisodes: TypeAlias = list[Episode]
"""The same as they were taken."""
WashoutUses: TypeAlias = Sequence[DrugUse]
"""Uses of drugs that raise platelets for as long after their end as a definition says."""
WashoutEpisodes: TypeAlias = list[Episode]
"""The same as they were taken."""
