"""Asking the schema in this process, without HTTP, as a command line does."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any, NoReturn

from graphql import GraphQLError
from strawberry.types.graphql import OperationType

from ledger.dates import HomeZone
from ledger.refusal import Unusable
from schema import schema
from schema.compiling import CompiledDocument
from schema.connections import LoneConnection
from schema.context import Context
from schema.distance import Distances
from schema.explain import explained
from schema.operation import Answer, NotServed, Operation, answer
from schema.rendering import NotCompiled


class Misread(Exception):
    """What stands on the command line is no document, or no variables."""


def ask(
    url: str, zone: HomeZone, document: str, variables: dict[str, Any] | None = None
) -> dict[str, Any]:
    """The answer of the ledger in the database `url`: a mapping with `data`, `errors` or both.

    Only queries are answered; anything else is `Unusable`.
    """
    try:
        return asyncio.run(_ask(url, zone, Operation(document, variables))).body
    except NotServed as error:
        raise Unusable(f"{error} here, only a query") from None


def explain(
    url: str, zone: HomeZone, document: str, variables: dict[str, Any] | None = None
) -> str:
    """How a document would be answered: its statements, and what each field reads of them.

    Nothing is asked of the ledger. `Unusable` if the document or a variable is wrong, or if the
    document is answered without a plan.
    """
    return asyncio.run(_explain(url, zone, Operation(document, variables)))


async def _explain(url: str, zone: HomeZone, operation: Operation) -> str:
    context = Context(LoneConnection(url), zone, is_only_read=True)
    try:
        answered = await answer(schema, operation, context, frozenset({OperationType.QUERY}))
        if context.document is None:
            raise Unusable(f"there is no plan: {answered.body['errors'][0]['message']}")
        compiled = CompiledDocument(schema._schema, context.document, None)  # noqa: SLF001  # Strawberry gives no other way to it.
        request = compiled.request(operation.variables or {}, zone, None, Distances())
        return explained(*compiled.compiled(request))
    except NotServed as error:
        raise Unusable(f"{error} here, only a query") from None
    except GraphQLError as error:
        raise Unusable(f"there is no plan: {error.message}") from None
    except NotCompiled:
        raise Unusable("there is no plan: the schema is asked about itself") from None


def document_of(argument: str) -> str:
    """The document that a command line gives: itself, a file's, or `-` for standard input's.

    A `Misread` if there is no such file.
    """
    if "{" in argument:
        return argument
    try:
        raw = sys.stdin.buffer.read() if argument == "-" else Path(argument).read_bytes()
        return raw.decode("utf-8-sig")
    except (OSError, ValueError) as error:
        raise Misread(f"{argument!r} is neither a GraphQL document nor a file: {error}") from None


def variables_of(text: str | None) -> dict[str, Any] | None:
    """The variables that a command line gives as JSON; a `Misread` if they are not."""
    try:
        given = None if text is None else json.loads(text, parse_constant=_no_json)
    except (ValueError, RecursionError) as error:
        raise Misread(f"the variables are not JSON: {error}") from None
    if given is not None and not isinstance(given, dict):
        raise Misread('the variables are not a JSON object such as {"first": 10}')
    return given


def _no_json(constant: str) -> NoReturn:
    """Refuse NaN and the infinities, which Python's reader takes and JSON does not have."""
    raise ValueError(f"{constant} is no value of JSON")


async def _ask(url: str, zone: HomeZone, operation: Operation) -> Answer:
    async with LoneConnection(url) as lone:
        served = frozenset({OperationType.QUERY})
        return await answer(schema, operation, Context(lone, zone), served)
