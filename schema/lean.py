"""The short way of a request that a compiled operation answers.

A POST of a document that is known already is answered by the protocol itself, before there is a
task, a route or middleware: still only to names of this machine, only of JSON, and of no more than
may be sent. Whatever is not plainly so goes the general way, as if nothing had been read of it.
"""

from __future__ import annotations

from functools import cache, lru_cache, partial
from typing import Any, ClassVar

import orjson
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from schema.http_request import LARGEST_BODY, answer_headers, media_type
from schema.operation import Operation
from schema.operations import Operations

CONTENT_TYPES = {b"application/json", b"application/json; charset=utf-8"}
"""The media types, as clients write them, of which no more must be known."""

OTHER_WAY = {b"origin", b"content-encoding", b"expect"}
"""Headers of requests that go the general way: a page sends its origin, which is checked there."""


class LeanProtocol(HttpToolsProtocol):
    """uvicorn's protocol, which answers what compiled operations can at `path`.

    A request of that kind is held back until its body is there. Then it is answered, or handed to
    the application like all others. Made for one server, as a subclass with the three attributes.
    """

    operations: ClassVar[Operations]
    path: ClassVar[str]
    hosts: ClassVar[frozenset[str]]

    _held: tuple[RequestResponseCycle, Any, str] | None = None

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        """Hold a request back that may be answered here; begin with all others."""
        chosen = self._media_type(cycle) if app is self.app else None
        if chosen is None:
            super()._start_asgi_task(cycle, app)
        elif cycle.more_body:
            self._held = cycle, app, chosen
        else:
            self._answer(cycle, app, chosen)

    def on_body(self, body: bytes) -> None:
        """Hand a request to the application if its body is larger than it may be."""
        super().on_body(body)
        if self._held is not None and len(self._held[0].body) > LARGEST_BODY:
            cycle, app, _ = self._held
            self._held = None
            super()._start_asgi_task(cycle, app)
        elif self._held is not None:
            # Nobody else takes what has come, so that more of it may.
            self.flow.resume_reading()

    def on_message_complete(self) -> None:
        """Answer the request that was held back until its body was there."""
        super().on_message_complete()
        if self._held is not None and not self._held[0].more_body:
            held, self._held = self._held, None
            self._answer(*held)

    def _media_type(self, cycle: RequestResponseCycle) -> str | None:
        """The media type of the answer; None if the request is to go the general way."""
        scope = cycle.scope
        if scope["method"] != "POST" or scope["path"] != self.path:
            return None
        given = list(scope["headers"])
        headers = dict(given)
        if len(headers) != len(given) or not OTHER_WAY.isdisjoint(headers):
            return None
        if headers.get(b"content-type") not in CONTENT_TYPES:
            return None
        name, _, _ = headers.get(b"host", b"").decode("latin-1").partition(":")
        return _chosen(headers.get(b"accept", b"")) if name in self.hosts else None

    def _answer(self, cycle: RequestResponseCycle, app: Any, chosen: str) -> None:
        operation = _operation(cycle.body)
        done = partial(self._done, cycle, app, chosen)
        if operation is None or not self.operations.begin(operation, done):
            super()._start_asgi_task(cycle, app)

    def _done(self, cycle: RequestResponseCycle, app: Any, chosen: str, body: bytes | None) -> None:
        """Send the answer; let the application give it if there is none here, or send it slowly."""
        if cycle.disconnected or self.transport.is_closing():
            return
        if body is None or self.flow.write_paused:
            super()._start_asgi_task(cycle, app)
            return
        ending = b"" if cycle.keep_alive else b"connection: close\r\n"
        common = b"".join(b"%s: %s\r\n" % header for header in self.server_state.default_headers)
        head = b"HTTP/1.1 200 OK\r\n%s%s%scontent-length: %d\r\n\r\n"
        self.transport.write(head % (common, _headers(chosen), ending, len(body)) + body)
        cycle.response_complete = True
        if not cycle.keep_alive:
            self.transport.close()
        self.on_response_complete()


def _operation(body: bytes | bytearray) -> Operation | None:
    """What a body asks for, if it is in good form."""
    try:
        given: Any = orjson.loads(body)
    except ValueError:
        return None
    if not isinstance(given, dict):
        return None
    document, variables = given.get("query"), given.get("variables")
    name, extensions = given.get("operationName"), given.get("extensions")
    if (
        isinstance(document, str)
        and isinstance(variables, dict | None)
        and isinstance(name, str | None)
        and isinstance(extensions, dict | None)
    ):
        return Operation(document, variables, name or None)
    return None


@lru_cache(maxsize=100)
def _chosen(accept: bytes) -> str | None:
    return media_type(accept.decode("latin-1"))


@cache
def _headers(chosen: str) -> bytes:
    # As the middleware adds it, which lets pages of this machine read answers.
    named = answer_headers(chosen) | {"Vary": "Accept, Origin"}
    return "".join(f"{name.lower()}: {value}\r\n" for name, value in named.items()).encode()
