"""Asking the schema in this process, without HTTP."""

from __future__ import annotations

import asyncio
from typing import Any

from strawberry.types.graphql import OperationType

from ledger.dates import HomeZone
from ledger.refusal import Unusable
from schema import schema
from schema.context import Context
from schema.http import reading_pool
from schema.operation import Answer, NotServed, Operation, answer


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


async def _ask(url: str, zone: HomeZone, operation: Operation) -> Answer:
    async with reading_pool(url, size=1) as pool:
        served = frozenset({OperationType.QUERY})
        return await answer(schema, operation, Context(pool, zone), served)
