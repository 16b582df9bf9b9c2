"""HTTP connections with limits: silent and slow ones are closed; request heads, pipelined requests and connections are bounded.

uvicorn limits none of these. This is a subclass of its protocol and uses its attributes `cycle`, `transport` and
`loop`; the tests drive it over sockets, so that a release of uvicorn that changes these attributes is noticed.
"""

from __future__ import annotations

import asyncio
import socket
from typing import Any, ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MOST_HEADER_BYTES = 64 * 1024
_MOST_AHEAD = 16  # pipelined requests of one connection that wait for earlier answers
_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class Impatient(HttpToolsProtocol):
    """Closes a connection that has not sent a complete request head in time, for the first request and every later one; one
    that reads none of its answers for the same time; and one that sends many requests before it has read an answer.
    """

    silent_seconds = 5.0
    most = 1000
    opened: ClassVar[dict[Impatient, None]] = {}  # open connections, the longest silent first
    _timer: asyncio.TimerHandle | None = None
    _reading: asyncio.TimerHandle | None = None
    _unread = 0  # bytes of answers that the client had not read at the last check
    _header_bytes = 0
    _untold = 0  # bytes received since the parser's last callback
    _told = False
    _refused = False

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        # asyncio sets this only where a socket says its protocol, which the socket that uvicorn's workers share does not; an
        # answer's body then waited 40 ms for the client to acknowledge its head
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if len(self.opened) >= self.most:
            self._make_room()
        self.opened[self] = None
        self._wait()
        self._look_again()

    def _make_room(self) -> None:
        """Close the connection that has been silent for longest and has no answer pending, so that health checks still get through."""
        silent = next((each for each in self.opened if each.cycle is None or each.cycle.response_complete), None)
        if silent is not None:
            self.opened.pop(silent)
            silent._close()

    def connection_lost(self, exc: Exception | None) -> None:
        self.opened.pop(self, None)
        self._stop_waiting()
        if self._reading is not None:
            self._reading.cancel()
        super().connection_lost(exc)

    def _look_again(self) -> None:
        self._reading = self.loop.call_later(self.silent_seconds, self._look)

    def _look(self) -> None:
        """Abort a connection whose client reads none of its answers; a normal close would wait for that client."""
        unread = self.transport.get_write_buffer_size()
        if unread and unread == self._unread:
            self.transport.abort()
            return
        self._unread = unread
        self._look_again()

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        if self._timer is None and (self.cycle is None or self.cycle.response_complete):
            self._wait()  # the head of a later request begins
        if self in self.opened:
            self.opened.pop(self)
            self.opened[self] = None
        self._told = False
        super().data_received(data)
        # the parser buffers an endless header or trailer field without any callback
        self._untold = 0 if self._told else self._untold + len(data)
        if self._untold > MOST_HEADER_BYTES:
            self._refuse()

    def on_body(self, body: bytes) -> None:
        self._told = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._told = True
        self._stop_waiting()  # the timer was started by the rest of a body that was already answered
        super().on_message_complete()

    def on_message_begin(self) -> None:
        self._header_bytes = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count(len(name) + len(value))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._told = True
        self._stop_waiting()
        if self._refused:
            return
        if len(self.pipeline) >= _MOST_AHEAD:
            self._refused = True
            self.transport.abort()
            return
        super().on_headers_complete()

    def shutdown(self) -> None:
        """New connections are no longer accepted: a pending answer is sent, as the last one; idle clients were told earlier."""
        if self.transport is None or self.transport.is_closing():
            return
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.keep_alive = False
            return
        self.transport.close()

    def _count(self, number: int) -> None:
        self._header_bytes += number
        if self._header_bytes > MOST_HEADER_BYTES:
            self._refuse()

    def _refuse(self) -> None:
        if not self._refused:
            self._refused = True
            self.transport.write(_TOO_LARGE)
            self.transport.close()

    def _wait(self) -> None:
        self._timer = self.loop.call_later(self.silent_seconds, self._close)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _close(self) -> None:
        self._timer = None
        if self.transport is not None and not self.transport.is_closing():
            self.transport.close()
