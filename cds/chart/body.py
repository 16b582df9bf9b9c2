"""Decodes the input bytes: JSON, as a message whose resources each have a place.

A *place* is the FHIR path of a resource in its message, such as ``Bundle.entry[3].resource``.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec

from cds.chart.isolate import CONTEXT, MOST_LEVELS, TOO_DEEP, Broken, isolated_message, within
from cds.chart.wire import (
    UNREADABLE,
    Issue,
    Message,
    Resource,
    exact_decoder,
    given,
    later,
    message_decoder,
    raw_bundle_decoder,
    raw_message_decoder,
)
from cds.compiled.hooks import orders_of

_MOST_NESTED = 5  # bundles in bundles
_BOM = b"\xef\xbb\xbf"


class InputError(Exception):
    """The input cannot be judged; ``str`` says what is wrong and where, without any patient data."""


class Placed(NamedTuple):
    """A resource of a message with its place."""

    place: str
    resource: Resource


@dataclass(slots=True)
class Unpacked:
    """The resources of a bundle; ``partial``: more pages exist; ``failed``: a server reports that it could not return all.

    A warning is not a failure; some servers send one to say that a search found nothing.
    """

    resources: list[Resource] = field(default_factory=list)
    urls: dict[str, Resource] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)  # resources that a history lists as deleted later
    partial: bool = False
    failed: bool = False


def decode(body: bytes) -> tuple[Message, list[Broken]]:
    """The message, and the parts of its resources that have the wrong shape.

    Raises:
        InputError: not JSON in UTF-8, nested too deep, or not an object of the expected shape.
    """
    if body[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in body[:4]:
        raise InputError("this is not JSON in UTF-8 (it looks like UTF-16 or binary data)")
    body = body.removeprefix(_BOM)
    try:
        return message_decoder.decode(body), []
    except (msgspec.ValidationError, UnicodeDecodeError):
        return _isolated(body)
    except RecursionError:
        raise InputError(TOO_DEEP) from None
    except msgspec.DecodeError as error:
        where = re.search(r"byte (\d+)", str(error))
        raise InputError("this is not JSON" + (f" (byte {where[1]})" if where else "")) from None


def _isolated(body: bytes) -> tuple[Message, list[Broken]]:
    try:
        return isolated_message(body, InputError)
    except RecursionError:  # nested bundles, where Python counts its own frames separately from the reader's
        raise InputError(TOO_DEEP) from None


def unpack(bundle: Resource | None) -> Unpacked:
    """The resources of a bundle, including those of bundles nested in it."""
    unpacked = Unpacked()
    if bundle is not None:
        _unpack(bundle, unpacked, 0)
    if unpacked.deleted:
        unpacked.resources = [each for each in unpacked.resources if each.reference not in unpacked.deleted]
    return unpacked


def _unpack(bundle: Resource, into: Unpacked, depth: int) -> None:
    into.partial |= any(link.relation == "next" for link in bundle.link or ())
    for entry in bundle.entry or ():
        if entry.response is not None and (entry.response.status or "2")[0] in "45":
            into.failed = True
        if (resource := entry.resource) is None:
            if entry.request is not None and entry.request.method == "DELETE" and entry.request.url:
                into.deleted.add("/".join(entry.request.url.split("/_history/")[0].split("/")[-2:]))
            continue
        if (kind := resource.resourceType) == "Bundle" and depth < _MOST_NESTED:
            _unpack(resource, into, depth + 1)
            continue
        if kind == "OperationOutcome" and any(i.severity in ("error", "fatal") for i in later(resource.issue, Issue)):
            into.failed = True
        into.resources.append(resource)
        if entry.fullUrl:
            into.urls[entry.fullUrl] = resource


def being_written(message: Message) -> Resource | None:
    """The orders in a request's context, as a Bundle or a single resource; None if the hook has no orders or they are missing."""
    field = orders_of(message.hook)
    orders: Resource | None = getattr(message.context, field) if field and message.context is not None else None
    return orders


def places(message: Message) -> Iterator[Placed]:
    """Every resource of a message with its FHIR path, in the order in which they came."""
    if message.resourceType == "Bundle":
        yield from _places(message, "Bundle", 0)
    if (orders := being_written(message)) is not None:
        yield from _places(orders, f"{CONTEXT}{orders_of(message.hook)}", 0)
    for key, value in (message.prefetch or {}).items():
        if value is not None:
            yield from _places(value, f"prefetch.{key}", 0)


def _places(resource: Resource, place: str, depth: int) -> Iterator[Placed]:
    if resource.resourceType != "Bundle" and (not place.startswith(CONTEXT) or resource.entry is None):
        yield Placed(place, resource)
    elif depth <= _MOST_NESTED:
        for index, entry in enumerate(resource.entry or ()):
            if entry.resource is not None:
                yield from _places(entry.resource, f"{place}.entry[{index}].resource", depth + 1)


def as_it_came(body: bytes, reference: str) -> dict[str, Any] | None:
    """The resource with this reference as it was received, decimals kept; used to echo it in a suggestion."""
    wanted = reference.rpartition("/")[2].encode()
    for resource in _raw_resources(body.removeprefix(_BOM), wanted):
        try:
            value = exact_decoder.decode(resource)
        except (*UNREADABLE, ArithmeticError):
            continue  # something in it cannot be sent back as it came
        if isinstance(value, dict) and f"{value.get('resourceType')}/{value.get('id')}" == reference:
            return value if within(value, MOST_LEVELS) else None
    return None


def _raw_resources(body: bytes, wanted: bytes) -> Iterator[msgspec.Raw]:
    """The raw resources, including those in bundles, whose text contains ``wanted``."""
    try:
        top = raw_message_decoder.decode(body)
    except UNREADABLE:  # it was decoded before, with more room on the stack
        return
    raws = list((top.prefetch or {}).values())
    field = orders_of(top.hook)
    if field and top.context is not None and given(orders := getattr(top.context, field)):
        raws.insert(0, orders)
    raws += [entry.resource for entry in top.entry or () if entry is not None]
    waiting = deque(raws)
    while waiting:
        raw = waiting.popleft()
        if wanted not in bytes(raw):
            continue
        yield raw
        try:
            bundle = raw_bundle_decoder.decode(raw)
        except UNREADABLE:
            continue
        waiting += [entry.resource for entry in bundle.entry or () if entry is not None and given(entry.resource)]
