"""The schema over HTTP: who may ask, and from where."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from psycopg_pool import AsyncConnectionPool
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL

from ledger.database import SERVER, as_role
from ledger.dates import HomeZone
from schema import schema
from schema.context import Context, Pool

# Reading is open to everybody on this machine and to nobody else. A page of another site that a
# name of its own leads to 127.0.0.1 is somebody else, so the names are checked as well.
LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "[::1]")
LOOPBACK_ORIGINS = r"https?://(127\.0\.0\.1|localhost|\[::1\])(:[0-9]+)?"


def reading_pool(url: str, *, size: int = 4) -> Pool:
    """A pool of connections that can't write; open it before use."""
    return AsyncConnectionPool(
        as_role(url, SERVER, default_transaction_read_only="on"),
        kwargs={"autocommit": True},
        min_size=1,
        max_size=size,
        open=False,
    )


class View(GraphQL[Context, None]):
    """Strawberry's view, with this ledger's context."""

    def __init__(self, context: Callable[[], Context]) -> None:
        super().__init__(schema, graphql_ide=None, subscription_protocols=[])
        self._context = context

    async def get_context(
        self, request: Request | WebSocket, response: Response | WebSocket
    ) -> Context:
        return self._context()


def application(url: str, zone: HomeZone) -> Starlette:
    """The ASGI application that serves the ledger in the database `url` at /graphql."""
    pool = reading_pool(url)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with pool:
            yield

    view: Any = View(lambda: Context(pool, zone))
    return Starlette(
        routes=[Route("/graphql", view, methods=["GET", "POST", "OPTIONS"])],
        middleware=[
            Middleware(TrustedHostMiddleware, allowed_hosts=list(LOOPBACK_HOSTS)),
            Middleware(
                CORSMiddleware,
                allow_origin_regex=LOOPBACK_ORIGINS,
                allow_methods=["GET", "POST"],
                allow_headers=["*"],
            ),
        ],
        lifespan=lifespan,
    )


