"""A request cut down to the elements that are read: enough to judge it again, without names, addresses or narrative.

It contains what the rules look at: ids, dates, codes and their texts, results, doses as they were written. That is health data, and if
a hospital writes a name into such a text, the name is in it.
"""

from __future__ import annotations

import zlib
from typing import Any

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from cds.chart.order_changes import only_changes
from cds.chart.request import Request, read_request
from cds.chart.wire import (
    ABSENT,
    Component,
    Context,
    Entry,
    Identifier,
    Issue,
    Link,
    Meta,
    Participant,
    Pointer,
    Reaction,
    Resource,
    Wire,
    given,
    how_many,
    later,
)
from cds.compiled.hooks import HookName

_encode = msgspec.json.Encoder().encode
_MAY_NAME: dict[str, type[Wire]] = {
    "contained": Resource,
    "component": Component,
    "participant": Participant,
    "reaction": Reaction,
    "issue": Issue,
    "focus": Pointer,
    "basedOn": Pointer,
}
"""Elements that stay undecoded until they are read, each with a type that has all the parts that are read from it."""
_PRESENT = Raw(b"[{}]")
_LEVEL = 6  # compression level of zlib: higher ones cost more than they save


def reduced(request: Request) -> bytes | None:
    """The parts of a request that were read, packed; None if only the whole request would do.

    That is so if something had to be repaired, or if two resources with the same id differ, perhaps in a part that is left out here.
    """
    drafts = [draft.resource.reference for draft in request.drafts]
    if request.broken or request.unclear or len(set(drafts)) < len(drafts):
        return None
    message = request.message
    lean = _lean(message)
    if message.context is not None:
        lean = replace(lean, context=_lean_context(message.context))
    if message.prefetch is not None:
        found = {key: each if each is None else _lean(each) for key, each in message.prefetch.items()}
        lean = replace(lean, prefetch=found)
    return zlib.compress(_encode(lean), _LEVEL)


def request_of(packed: bytes, hook: HookName) -> Request:
    """The reduced request. Suggestions made from it contain no more of an order than was read."""
    return read_request(zlib.decompress(packed), hook)


def _lean_context(context: Context) -> Context:
    orders = {name: getattr(context, name) for name in ("draftOrders", "medications")}
    return replace(context, **{name: _lean(each) for name, each in orders.items() if each is not None})


def _lean(resource: Any) -> Any:
    """The resource without the elements that are not read; the resource itself if there are none."""
    changes: dict[str, Any] = {}
    if resource.entry is not None:
        changes["entry"] = [_lean_entry(each) for each in resource.entry]
    if resource.link is not None:
        changes["link"] = [Link(each.relation) for each in resource.link]  # the address of a search may contain a name
    if given(resource.identifier):
        is_result = resource.resourceType == "Observation"
        changes["identifier"] = _read_part(resource.identifier, Identifier) if is_result else ABSENT
    if given(resource.meta):
        changes["meta"] = _read_one(resource.meta)
    if given(resource.extension):
        changes["extension"] = only_changes(resource.extension)
    if given(resource.modifierExtension) and bytes(resource.modifierExtension) != b"[]":
        changes["modifierExtension"] = _PRESENT  # only its presence matters
    for name, kind in _MAY_NAME.items():
        raw = getattr(resource, name)
        if raw is not ABSENT and given(raw):
            changes[name] = _read_part(raw, kind)
    return replace(resource, **changes) if changes else resource


def _lean_entry(entry: Entry) -> Entry:
    found = entry.resource
    asked = entry.request if entry.request is not None and entry.request.method == "DELETE" else None
    return replace(entry, resource=found if found is None else _lean(found), request=asked)


def _read_one(raw: Raw) -> Raw:
    found = later(raw, Meta)
    return Raw(_encode(found[0])) if len(found) == 1 else ABSENT


def _read_part(raw: Raw, kind: type[Wire]) -> Raw:
    parts = [_lean(each) if isinstance(each, Resource) else each for each in later(raw, kind)]
    missing = how_many(raw) - len(parts)  # parts that cannot be read are counted, too
    return Raw(_encode([*parts, *[0] * max(missing, 0)]))
