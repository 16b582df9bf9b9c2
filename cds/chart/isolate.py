"""The slow pass over input that the strict pass refused: resource by resource, then element by element.

One bad resource never hides the others. An element that cannot be read is left out and named with
its FHIR path. A resource is named as a whole if it cannot be read at all, or if an element is bad
that decides whether it counts.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import msgspec

from cds.chart.wire import (
    ABSENT,
    UNREADABLE,
    Context,
    Entry,
    EntryRequest,
    EntryResponse,
    Link,
    Message,
    RawBundle,
    Resource,
    exact_decoder,
    given,
    raw_bundle_decoder,
    raw_message_decoder,
    resource_decoder,
)
from cds.compiled.hooks import orders_of

CONTEXT = "context."
"""The beginning of the place of an order that is being written."""
_encode = msgspec.json.Encoder(decimal_format="number").encode
_PATH = re.compile(r"`\$((?:\.\w+|\[\d+\])*)`$")
_TYPE = re.compile(r"[A-Z][A-Za-z]{1,40}")
_STEP = re.compile(r"\.(\w+)|\[(\d+)\]")
_DECIDES = frozenset(
    [
        "resourceType",
        "id",
        "status",
        "intent",
        "doNotPerform",
        "clinicalStatus",
        "verificationStatus",
        "implicitRules",
        "subject",
        "patient",
    ]
)
"""If one of these cannot be read, it is not known whether a resource counts, or whose it is."""
_MOST = 20
_FOREIGN = "\ufffd"
"""The character that replaces bytes that are not UTF-8."""
WRONG_SHAPE = "an element of it has the wrong shape"
NO_RESOURCE = "it is not a FHIR resource"
TOO_DEEP = "the JSON is nested too deep"
MOST_LEVELS = 100
"""The deepest nesting of a resource that is encoded again, to mend it or to send it back."""

Step = str | int


class Broken(NamedTuple):
    """The part of a resource that could not be read: the elements ``at``, or the whole resource if ``at`` is empty."""

    place: str
    reference: str
    reason: str
    at: tuple[str, ...]
    raw: bytes


def isolated_message(body: bytes, refuse: type[Exception]) -> tuple[Message, list[Broken]]:
    """A message whose sound parts are read. Raises ``refuse`` when the outer structure itself is not the expected JSON."""
    try:
        top = raw_message_decoder.decode(body)
    except msgspec.ValidationError:
        raise refuse("this is JSON, but not a FHIR Bundle or a CDS Hooks request") from None
    except RecursionError:
        raise refuse(TOO_DEEP) from None
    except UNREADABLE:
        raise refuse("this is not JSON in UTF-8") from None
    broken: list[Broken] = []
    message = Message(
        resourceType=_text(top.resourceType) or "",
        hook=_text(top.hook),
        hookInstance=_text(top.hookInstance),
        fhirServer=_text(top.fhirServer),
        entry=_entries(top, "Bundle", broken),
        link=_links(top.link),
    )
    if top.context is not None:
        field = orders_of(top.hook)
        orders = getattr(top.context, field) if field else ABSENT
        selections = top.context.selections
        message.context = Context(
            patientId=_text(top.context.patientId),
            **({field: _resource(orders, f"{CONTEXT}{field}", broken)} if given(orders) else {}),
            selections=[s for s in selections if isinstance(s, str)] if isinstance(selections, list) else None,
        )
    if top.prefetch is not None:
        read = {key: (raw, _resource(raw, f"prefetch.{key}", broken)) for key, raw in top.prefetch.items()}
        # null says that there is nothing; any other value that is not a resource counts as not supplied
        message.prefetch = {
            key: value for key, (raw, value) in read.items() if value is not None or bytes(raw) == b"null"
        }
    return message, broken


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _links(value: Any) -> list[Link] | None:
    if not isinstance(value, list):
        return None
    return [Link(_text(link.get("relation")), _text(link.get("url"))) for link in value if isinstance(link, dict)]


def _entries(bundle: RawBundle, place: str, broken: list[Broken]) -> list[Entry] | None:
    if bundle.entry is None:
        return None
    entries = []
    for index, entry in enumerate(bundle.entry):
        if entry is None:
            entries.append(Entry())
            continue
        given_resource = given(entry.resource)
        resource = _resource(entry.resource, f"{place}.entry[{index}].resource", broken) if given_resource else None
        status = _text(entry.response.get("status")) if isinstance(entry.response, dict) else None
        asked = entry.request if isinstance(entry.request, dict) else {}
        request = EntryRequest(_text(asked.get("method")), _text(asked.get("url")))
        entries.append(Entry(_text(entry.fullUrl), resource, EntryResponse(status), request))
    return entries


def _resource(raw: msgspec.Raw, place: str, broken: list[Broken]) -> Resource | None:
    """The resource without the elements that could not be read, which are named in ``broken``."""
    if bytes(raw) == b"null":
        return None
    try:
        return resource_decoder.decode(raw)
    except UNREADABLE:
        pass
    if (bundle := _bundle(raw)) is not None:
        return Resource(resourceType="Bundle", entry=_entries(bundle, place, broken), link=_links(bundle.link))
    return _mended(raw, place, broken)


def _bundle(raw: msgspec.Raw) -> RawBundle | None:
    text = bytes(raw)
    if b"Bundle" not in text and b"\\u" not in text:  # an escape may spell it
        return None
    try:
        bundle = raw_bundle_decoder.decode(raw)
    except UNREADABLE:
        return None
    return bundle if bundle.resourceType == "Bundle" else None


def _mended(raw: msgspec.Raw, place: str, broken: list[Broken]) -> Resource | None:
    text = bytes(raw).decode("utf-8", "replace")  # what is not UTF-8 becomes U+FFFD, and is left out below
    try:
        value = exact_decoder.decode(text)
    except (*UNREADABLE, ArithmeticError):
        value = None
    if text.count("[") + text.count("{") > MOST_LEVELS and not within(value, MOST_LEVELS):
        broken.append(Broken(place, "Resource", TOO_DEEP, (), bytes(raw)))
        return None
    kind = value.get("resourceType") if isinstance(value, dict) else None
    if not isinstance(kind, str) or not _TYPE.fullmatch(kind):
        broken.append(Broken(place, "Resource", NO_RESOURCE, (), bytes(raw)))
        return None
    name = value.get("id")
    named = f"{kind}/{name}" if isinstance(name, str) and name else kind
    dropped = [_drop(value, path) for path in _foreign_bytes(value)] if _FOREIGN in text else []
    for _ in range(_MOST):
        try:
            resource = resource_decoder.decode(_encode(value))
        except msgspec.ValidationError as error:
            path = _path_of(error)
            if not path or path[0] in _DECIDES:
                dropped.append(str(path[0]) if path else "")
                break
            dropped.append(_drop(value, path))
            continue
        if not any(_head(at) in _DECIDES for at in dropped):
            broken.append(Broken(place, named, WRONG_SHAPE, tuple(dropped), bytes(raw)))
            return resource
        break
    broken.append(Broken(place, named, WRONG_SHAPE, tuple(at for at in dropped if at), bytes(raw)))
    return None


def within(value: Any, levels: int) -> bool:
    """Whether a value is nested at most ``levels`` deep."""
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return levels > 0 and all(within(part, levels - 1) for part in parts)


def _head(at: str) -> str:
    return re.split(r"[.\[]", at, maxsplit=1)[0]


def _path_of(error: msgspec.ValidationError) -> list[Step]:
    found = _PATH.search(str(error))
    return [name or int(index) for name, index in _STEP.findall(found[1])] if found else []


def _drop(value: dict[str, Any], path: list[Step]) -> str:
    """Leave out the element at ``path`` (one coding of several, otherwise the whole element) and return its FHIR path.

    A part of an element is never left out alone: a quantity without its comparator is another quantity.
    """
    end = 1
    if "coding" in path:
        end = path.index("coding") + 2
        end = end if len(path) >= end else 1
    parent: Any = value
    for step in path[: end - 1]:
        parent = parent[step]
    if isinstance(parent, list):
        parent[int(path[end - 1])] = {}  # the others keep their places
    else:
        parent.pop(path[end - 1], None)
    return _said(path)


def _said(path: list[Step]) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")


def _foreign_bytes(value: dict[str, Any]) -> list[list[Step]]:
    """The paths of texts that were not UTF-8, one for each element."""
    return [[key] for key, part in value.items() if key.isidentifier() and _FOREIGN.encode() in _encode(part)]
