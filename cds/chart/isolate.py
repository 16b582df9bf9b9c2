"""The slow look at input that the strict pass refused: resource by resource, then element by element.

One bad resource never hides the others. An element that cannot be taken is dropped and named; a
resource that cannot be taken at all is named.
"""

from __future__ import annotations

from typing import Any

import msgspec

from cds.chart.model import Unread
from cds.chart.wire import (
    Context,
    Entry,
    Link,
    Message,
    RawBundle,
    Resource,
    given,
    raw_bundle_decoder,
    raw_message_decoder,
    resource_decoder,
)

_encode = msgspec.json.Encoder().encode
_parts_decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])
_OURS = (b"sirolimus", b"rapamycin", b"rapamune", b"35302", b"29247-4")
DROPPED = "one of its elements has the wrong shape: "


def isolated_message(body: bytes, refuse: type[Exception]) -> tuple[Message, list[Unread]]:
    """A message whose sound parts are read. Raises ``refuse`` when the frame itself is not JSON of ours."""
    try:
        top = raw_message_decoder.decode(body)
    except msgspec.ValidationError:
        raise refuse("this is JSON, but not a FHIR Bundle or a CDS Hooks request") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise refuse("this is not JSON") from None
    unread: list[Unread] = []
    message = Message(
        resourceType=_text(top.resourceType) or "",
        hook=_text(top.hook),
        hookInstance=_text(top.hookInstance),
        entry=_entries(top, unread),
        link=_links(top.link),
    )
    if top.context is not None:
        drafts = _resource(top.context.draftOrders, unread) if given(top.context.draftOrders) else None
        selections = top.context.selections
        message.context = Context(
            patientId=_text(top.context.patientId),
            draftOrders=drafts,
            selections=[s for s in selections if isinstance(s, str)] if isinstance(selections, list) else None,
        )
    if top.prefetch is not None:
        read = {key: (raw, _resource(raw, unread)) for key, raw in top.prefetch.items()}
        # null says that there is nothing; anything else that is no resource was not supplied
        message.prefetch = {
            key: value for key, (raw, value) in read.items() if value is not None or bytes(raw) == b"null"
        }
    return message, unread


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _links(value: Any) -> list[Link] | None:
    if not isinstance(value, list):
        return None
    return [Link(_text(link.get("relation")), _text(link.get("url"))) for link in value if isinstance(link, dict)]


def _entries(bundle: RawBundle, unread: list[Unread]) -> list[Entry] | None:
    if bundle.entry is None:
        return None
    entries = []
    for entry in bundle.entry:
        if entry is None or not given(entry.resource):
            continue
        resource = _resource(entry.resource, unread)
        if resource is not None:
            entries.append(Entry(_text(entry.fullUrl), resource))
    return entries


def _resource(raw: msgspec.Raw, unread: list[Unread]) -> Resource | None:
    """The resource, with what could not be taken of it left out and named."""
    if bytes(raw) == b"null":
        return None
    try:
        return resource_decoder.decode(raw)
    except (msgspec.ValidationError, UnicodeDecodeError):
        pass
    try:
        parts = _parts_decoder.decode(raw)
        kind = parts.get("resourceType", msgspec.Raw(b"null"))
        named = msgspec.json.decode(kind)
        bundle = raw_bundle_decoder.decode(raw) if named == "Bundle" else None
    except (msgspec.MsgspecError, UnicodeDecodeError):
        _name(raw, "Resource", "it is not a FHIR resource", unread)
        return None
    if bundle is not None:
        return Resource(resourceType="Bundle", entry=_entries(bundle, unread), link=_links(bundle.link))
    if not isinstance(named, str):
        _name(raw, "Resource", "it is not a FHIR resource", unread)
        return None
    return _pieces(parts, raw, unread)


def _pieces(parts: dict[str, msgspec.Raw], raw: msgspec.Raw, unread: list[Unread]) -> Resource:
    sound, dropped = [], []
    for key, part in parts.items():
        piece = _encode(key) + b":" + bytes(part)
        try:
            resource_decoder.decode(b"{" + piece + b"}")
            sound.append(piece)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            dropped.append(key)
    resource = resource_decoder.decode(b"{" + b",".join(sound) + b"}")
    if dropped:
        shown = ", ".join(sorted(key for key in dropped if key.isidentifier()))
        _name(raw, resource.reference, DROPPED + shown, unread)
    return resource


def _name(raw: msgspec.Raw, reference: str, reason: str, unread: list[Unread]) -> None:
    """Only what may be of ours is worth naming; the rest would drown it."""
    lowered = bytes(raw).lower()
    if any(word in lowered for word in _OURS):
        unread.append(Unread(reference, reason, "sirolimus"))
