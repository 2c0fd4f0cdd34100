"""Reading a GraphQL request from HTTP: the answer's media type, and the operation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

import orjson
from starlette.requests import Request

from schema.operation import Operation

JSON = "application/json"
GRAPHQL_JSON = "application/graphql-response+json"

LARGEST_BODY = 1_000_000
"""So many bytes, at the most, may a request's body have."""

MOST_PARAMETERS = 100
"""So many parameters, at the most, may a URL have."""


class BadRequest(Exception):
    """The request is none of GraphQL's; `status` is the answer's."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.message = message
        self.status = status


def media_type(accept: str | None) -> str | None:
    """The media type of the answer that a header `Accept` prefers; None if it takes neither.

    A client that knows nothing of GraphQL's own type gets plain JSON, and so does one that names
    none, as the audits of graphql-http have it.
    """
    if accept is None or not accept.strip():
        return JSON
    ranges = [_range(item) for item in accept.split(",") if item.strip()]
    preferred = max((JSON, GRAPHQL_JSON), key=lambda name: _preference(name, ranges))
    return preferred if _preference(preferred, ranges)[0] > 0 else None


def answer_headers(chosen: str) -> dict[str, str]:
    """The headers of an answer of the media type `chosen`."""
    return {
        "Content-Type": f"{chosen}; charset=utf-8",
        # The same question may have another answer soon, and names don't belong in a cache.
        "Cache-Control": "no-store",
        "Vary": "Accept",
        "X-Content-Type-Options": "nosniff",
    }


def _range(item: str) -> tuple[str, float]:
    """An item of `Accept`: what it takes, and how gladly, from 0 to 1."""
    name, parameters = _parts(item)
    try:
        return name, min(max(float(parameters.get("q", "1")), 0.0), 1.0)
    except ValueError:
        return name, 0.0


def _parts(text: str) -> tuple[str, dict[str, str]]:
    """A media type and its parameters, in small letters."""
    name, *rest = (part.strip().lower() for part in text.split(";"))
    pairs = (part.partition("=") for part in rest)
    return name, {key.strip(): value.strip().strip('"') for key, _, value in pairs}


def _preference(name: str, ranges: list[tuple[str, float]]) -> tuple[float, bool, bool]:
    """How a media type compares: by its quality, by being named, and by being GraphQL's own."""
    for wanted in (name, "application/*", "*/*"):
        qualities = [quality for item, quality in ranges if item == wanted]
        if qualities:
            is_named = wanted == name
            return max(qualities), is_named, is_named and name == GRAPHQL_JSON
    return 0.0, False, False


async def read_operation(request: Request) -> Operation:
    """The operation that a GET or a POST asks for; raises `BadRequest`."""
    if request.method == "POST":
        _check_content_type(request.headers.get("content-type", ""))
        given = _parsed("the request's body", await _body(request))
    else:
        given = _query_parameters(request)
    if not isinstance(given, dict):
        raise BadRequest('the request\'s body is no JSON object such as {"query": "…"}')
    document = given.get("query")
    if not isinstance(document, str) or not document.strip():
        raise BadRequest("`query` must be text: the GraphQL document")
    name = given.get("operationName")
    if not isinstance(name, str | None):
        raise BadRequest("`operationName` must be text or null")
    _optional_object(given, "extensions")
    return Operation(document, _optional_object(given, "variables"), name or None)


def _check_content_type(header: str) -> None:
    name, parameters = _parts(header)
    if name != JSON or parameters.get("charset", "utf-8") != "utf-8":
        raise BadRequest(f"the body must be JSON in UTF-8, with `Content-Type: {JSON}`", 415)


async def _body(request: Request) -> bytes:
    """The body, read no further than it may be long: its length need not be announced."""
    too_large = BadRequest(f"the body is larger than {LARGEST_BODY} bytes", 413)
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > LARGEST_BODY:
        raise too_large
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_BODY:
            raise too_large
    return bytes(body)


def _query_parameters(request: Request) -> Mapping[str, Any]:
    raw: bytes = request.scope["query_string"]
    try:
        pairs = parse_qsl(raw.decode("ascii"), errors="strict", max_num_fields=MOST_PARAMETERS)
    except ValueError:
        raise BadRequest(
            "the URL's parameters can't be read: they must be UTF-8, percent-encoded, and few"
        ) from None
    given: dict[str, Any] = dict(pairs)
    for name in ("variables", "extensions"):
        if name in given:
            given[name] = _parsed(f"`{name}`", given[name])
    return given


def _parsed(what: str, text: bytes | str) -> Any:
    try:
        return orjson.loads(text)
    except ValueError as error:
        raise BadRequest(f"{what} can't be read as JSON: {error}") from None


def _optional_object(given: Mapping[str, Any], name: str) -> dict[str, Any] | None:
    value = given.get(name)
    if not isinstance(value, dict | None):
        raise BadRequest(f"`{name}` must be a JSON object or null")
    return value
