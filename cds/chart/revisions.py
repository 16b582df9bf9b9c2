"""Several versions of one resource: the newest counts; if it is unknown which one that is, none does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from cds.chart.times import parse_moment
from cds.chart.wire import UNREADABLE, Meta, Resource

_decoder = msgspec.json.Decoder(Meta)
_LONGEST = 20
_MOST = 50
"""The most versions of one resource that are compared; more are not a history but a fault."""


class Versions(NamedTuple):
    """Each resource once; the versions that a newer one replaces; those that differ where it is unknown which is newer."""

    newest: list[Resource]
    older: list[Resource]
    unclear: list[Resource]


def newest_versions(resources: Sequence[Resource]) -> Versions:
    """Sort out resources that have the same type and id. A resource without an id counts as distinct."""
    ids = [resource.id for resource in resources if resource.id]
    if len(set(ids)) == len(ids):
        return Versions(list(resources), [], [])
    first: dict[str, Resource] = {}
    again: dict[str, list[Resource]] = {}
    for resource in resources:
        if resource.id and first.setdefault(resource.reference, resource) is not resource:
            again.setdefault(resource.reference, [first[resource.reference]]).append(resource)
    if not again:
        return Versions(list(resources), [], [])
    chosen = {reference: _newest(several) for reference, several in again.items()}
    newest: list[Resource] = []
    older: list[Resource] = []
    unclear: list[Resource] = []
    for resource in resources:
        if not resource.id or resource.reference not in again:
            newest.append(resource)
        elif (choice := chosen[resource.reference]) is None:
            unclear.append(resource)
        else:
            (newest if choice is resource else older).append(resource)
    return Versions(newest, older, unclear)


def _newest(several: Sequence[Resource]) -> Resource | None:
    """The version that is newer than all that differ from it, by ``meta.lastUpdated``, else by a numeric ``versionId``."""
    if len(several) > _MOST:
        return None
    different = [resource for place, resource in enumerate(several) if resource not in several[:place]]
    if len(different) == 1:
        return different[0]
    metas = [meta_of(resource) for resource in different]
    updated = [parse_moment(meta.lastUpdated) for meta in metas]
    instants = [moment.at for moment in updated if moment is not None and moment.at is not None]
    if len(set(instants)) == len(different):
        return different[instants.index(max(instants))]
    counts = [
        int(meta.versionId)
        for meta in metas
        if meta.versionId and meta.versionId.isdecimal() and len(meta.versionId) <= _LONGEST
    ]
    if len(set(counts)) == len(different):
        return different[counts.index(max(counts))]
    return None


def meta_of(resource: Resource) -> Meta:
    """The version of a resource and when it was stored; empty where that cannot be read."""
    try:
        return _decoder.decode(resource.meta)
    except UNREADABLE:
        return Meta()
