"""The short way of a request that a compiled operation answers.

Before routing, middleware and views, a POST of a document that is known already is answered here:
still only to names and pages of this machine, only of JSON, and of no more than may be sent.
Whatever is not plainly so goes the general way, as if nothing had been read of it.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any

import orjson
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from schema.http_request import LARGEST_BODY, answer_headers, media_type
from schema.operation import Operation
from schema.operations import Operations

CONTENT_TYPES = {b"application/json", b"application/json; charset=utf-8"}
"""The media types, as clients write them, of which no more must be known."""

OTHER_WAY = {b"origin", b"content-encoding", b"expect"}
"""Headers of requests that go the general way: a page sends its origin, which is checked there."""


class LeanPath:
    """Answers what compiled operations can, at `path`; passes everything else on to `app`."""

    def __init__(
        self, app: ASGIApp, operations: Operations, path: str, hosts: frozenset[str]
    ) -> None:
        self._app = app
        self._operations = operations
        self._path = path
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on with what was read of it."""
        if scope["type"] != "http" or scope["method"] != "POST" or scope["path"] != self._path:
            await self._app(scope, receive, send)
            return
        chosen = self._media_type(scope)
        if chosen is None:
            await self._app(scope, receive, send)
            return
        message = await receive()
        answer = await self._answer(message)
        if answer is None:
            await self._app(scope, _again(message, receive), send)
            return
        headers = [*_headers(chosen), (b"content-length", b"%d" % len(answer))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    def _media_type(self, scope: Scope) -> str | None:
        """The media type of the answer; None if the request is to go the general way."""
        headers: dict[bytes, bytes] = dict(scope["headers"])
        if len(headers) != len(scope["headers"]) or not OTHER_WAY.isdisjoint(headers):
            return None
        if headers.get(b"content-type") not in CONTENT_TYPES:
            return None
        name, _, _ = headers.get(b"host", b"").decode("latin-1").partition(":")
        if name not in self._hosts:
            return None
        return _chosen(headers.get(b"accept", b""))

    async def _answer(self, message: Message) -> bytes | None:
        """The answer to a body that came in one piece; None if it is to go the general way."""
        if message["type"] != "http.request" or message.get("more_body"):
            return None
        body: bytes = message.get("body", b"")
        if len(body) > LARGEST_BODY:
            return None
        operation = _operation(body)
        return None if operation is None else await self._operations.answer(operation)


def _operation(body: bytes) -> Operation | None:
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
def _headers(chosen: str) -> list[tuple[bytes, bytes]]:
    named = answer_headers(chosen).items()
    # As the middleware adds it, which lets pages of this machine read answers.
    return [
        (name.lower().encode(), b"Accept, Origin" if name == "Vary" else value.encode())
        for name, value in named
    ]


def _again(message: Message, receive: Receive) -> Receive:
    """Gives the message that was read already before those that follow."""
    messages = [message]

    async def following() -> Message:
        return messages.pop() if messages else await receive()

    return following
