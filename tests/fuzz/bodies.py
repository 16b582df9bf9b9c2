"""Bodies that real clients would never send, made from good ones: bytes, tokens, elements and whole branches malformed."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

from tests.chart.test_malformed import HOSTILE, places

TOKENS = (
    b"NaN", b"Infinity", b"-Infinity", b"1e999", b"-1e-999", b"9" * 400, b"1" + b"0" * 5_000, b"-0", b"0123", b"+1", b"1.",
    b'"\\ud800"', b'"\\u0000"', b'"\\uDC00\\uD800"', b'"\xff\xfe"', b'"\xc0\x80"', b'"\xed\xa0\x80"', b'"\x00"', b'"\n"',
    b"[" * 99 + b"]" * 99, b"[" * 120 + b"]" * 120, b'{"a":' * 200 + b"1" + b"}" * 200, b"[" * 100_000, b'"' + b"x" * 70_000 + b'"',
    b"null", b"true", b"[]", b"{}", b'""', b"[null]", b'{"":{}}', b"//", b"/*", b"\xef\xbb\xbf", b"\x00", b"}", b"]", b",", b":",
    '"\u202e\u2066%\u200b"'.encode(), b'"2024-02-30"', b'"0000-00-00"', b'"9999-12-31T23:59:60+14:00"', b'"T"', b'"Patient/"',
    b'{"resourceType":"Bundle","entry":[null,{},{"resource":null}]}', b'{"resourceType":7}', b'{"reference":{"reference":[]}}',
)  # fmt: skip
"""What is dropped into a body in place of something else; JSON and not."""


def malformed_bytes(chance: random.Random, body: bytes) -> bytes:
    """Some bytes changed; sometimes the end is missing."""
    malformed = bytearray(body)
    for _ in range(chance.randint(1, 8)):
        malformed[chance.randrange(len(malformed))] = chance.randrange(256)
    return bytes(malformed[: chance.randint(1, len(malformed))] if chance.random() < 0.3 else malformed)


def malformed_tokens(chance: random.Random, body: bytes, other: bytes) -> bytes:
    """A token dropped in, at any byte or in place of a value; or a piece of another body."""
    at = chance.randrange(len(body))
    if chance.random() < 0.6:  # in place of the value that follows a colon
        at = body.find(b": ", at) + 2 if body.find(b": ", at) >= 0 else at
    end = min([place for place in (body.find(each, at) for each in (b",", b"}", b"]")) if place >= 0] or [at])
    start = chance.randrange(len(other))
    piece = chance.choice(TOKENS) if chance.random() < 0.85 else other[start : start + chance.randint(1, 300)]
    return body[:at] + piece + body[chance.choice((at, end)) :]


def malformed_elements(chance: random.Random, content: dict[str, Any]) -> bytes:
    """Elements of the JSON replaced, removed, doubled or moved elsewhere."""
    content = copy.deepcopy(content)
    for _ in range(chance.randint(1, 4)):
        found = places(content)
        path, other = chance.choice(found), chance.choice(found)
        holder, key = holder_of(content, path)
        source, name = holder_of(content, other)
        way = chance.random()
        if way < 0.6:
            holder[key] = copy.deepcopy(chance.choice(HOSTILE))
        elif way < 0.75:
            holder[key] = copy.deepcopy(source[name])
        elif way < 0.9:
            del holder[key]
        elif isinstance(holder, list):
            holder.extend(copy.deepcopy(holder)[:50])
        else:
            holder[f"_{key}"] = [copy.deepcopy(holder[key])]
    return json.dumps(content).encode()


def holder_of(content: Any, path: tuple[Any, ...]) -> tuple[Any, Any]:
    """What holds the element at ``path``, and under which key."""
    for key in path[:-1]:
        content = content[key]
    return content, path[-1]


def malformed(chance: random.Random, contents: list[dict[str, Any]]) -> tuple[str, bytes]:
    """The hook of a good call, and its body malformed in one way or in two."""
    content = chance.choice(contents)
    way = chance.random()
    body = json.dumps(content).encode() if way < 0.55 else malformed_elements(chance, content)
    if way < 0.25:
        body = malformed_bytes(chance, body)
    elif way < 0.65:
        body = malformed_tokens(chance, body, json.dumps(chance.choice(contents)).encode())
    return str(content["hook"]), body
