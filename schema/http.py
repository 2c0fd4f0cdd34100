"""The schema over HTTP: who may ask, and from where.

What is answered, and with which status, is as the specification "GraphQL over HTTP" has it.
"""

from __future__ import annotations

import re
import select
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from socket import socket
from typing import Any

import orjson
import uvicorn
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send
from strawberry.types.graphql import OperationType

from ledger.dates import HomeZone
from schema import schema
from schema.channel import PLANNED_TO_SEEK, Channels
from schema.connections import reading_address
from schema.context import Connection, Context
from schema.errors import report_bug
from schema.http_request import (
    GRAPHQL_JSON,
    JSON,
    BadRequest,
    answer_headers,
    media_type,
    read_operation,
)
from schema.lean import LeanProtocol
from schema.operation import Answer, NotServed, answer
from schema.operations import Operations

PATH = "/graphql"

WELCOME = f"""\
This is a records ledger. It answers GraphQL at {PATH}:

    POST {PATH}   with {{"query": "…", "variables": {{…}}}} as {JSON}
    GET  {PATH}?query=…

The schema can be asked for by introspection.
"""

# Reading is open to everybody on this machine and to nobody else. A page of another site that a
# name of its own leads to 127.0.0.1 is somebody else, so the names are checked as well.
LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "[::1]")
LOOPBACK_ORIGINS = r"https?://(127\.0\.0\.1|localhost|\[::1\])(:[0-9]+)?"

SERVED_BY_METHOD = {
    # These can be sent by a link or a picture, so they must not be able to change anything.
    "GET": frozenset({OperationType.QUERY}),
    "HEAD": frozenset({OperationType.QUERY}),
    "POST": frozenset({OperationType.QUERY, OperationType.MUTATION}),
}

SECONDS_TO_FINISH = 10
"""How long requests under way may take when the server is asked to stop."""

SECONDS_FOR_A_CONNECTION = 5
"""How long a request waits for a connection, and how long at most one is tried for in vain.

After that the next request tries at once, so an outage is over as soon as the database is back.
"""


def reading_pool(url: str, *, size: int = 4) -> AsyncConnectionPool[Connection]:
    """A pool of connections that can't write; open it before use."""
    return AsyncConnectionPool(
        reading_address(url),
        kwargs={"autocommit": True},
        min_size=1,
        max_size=size,
        open=False,
        check=_still_there,
        timeout=SECONDS_FOR_A_CONNECTION,
        reconnect_timeout=SECONDS_FOR_A_CONNECTION,
    )


def reading_channels(url: str, *, seeking: int = 2, gathering: int = 4) -> Channels:
    """Channels that can't write either, for compiled operations; they open when they are used."""
    address = reading_address(url, **PLANNED_TO_SEEK)
    return Channels(address, seeking=seeking, gathering=gathering)


async def _still_there(connection: AsyncConnection[Any]) -> None:
    """Raise if the server has left: it speaks unasked only to say goodbye.

    Asking it costs a round trip, so that is done only if it has said something.
    """
    watch = select.poll()
    watch.register(connection.fileno(), select.POLLIN)
    if watch.poll(0):
        await AsyncConnectionPool.check_connection(connection)


class View:
    """Answers GraphQL requests: compiled, or else the ordinary way in a context of its own."""

    def __init__(self, context: Callable[[], Context], operations: Operations) -> None:
        self._context = context
        self._operations = operations

    async def respond(self, request: Request) -> Response:
        """Answer a request; whatever goes wrong, its client gets a GraphQL response."""
        chosen = media_type(request.headers.get("accept"))
        if chosen is None:
            refusal = Answer.refusing(f"the answer can be had as {GRAPHQL_JSON} or as {JSON}")
            return _response(refusal, JSON, 406)
        try:
            operation = await read_operation(request)
            ready = await self._operations.answer(operation)
            if ready is not None:
                return Response(ready, 200, answer_headers(chosen))
            served, context = SERVED_BY_METHOD[request.method], self._context()
            answered = await answer(schema, operation, context, served)
            self._operations.learn(operation, context.document)
            return _response(answered, chosen, _status(answered, chosen))
        except BadRequest as bad:
            return _response(Answer.refusing(bad.message), chosen, bad.status)
        except NotServed as error:
            return _not_served(request, error, chosen)
        except ClientDisconnect:
            # Nobody is there to read it.
            return Response(status_code=400)
        except Exception as error:  # noqa: BLE001  # A bug is logged here, without what it quotes.
            report_bug(error, "the answer to a request")
            return _response(Answer.refusing("internal error"), chosen, 500)


def _status(answered: Answer, chosen: str) -> int:
    """Plain JSON says 200 to all that was understood, since it may come from anywhere else too."""
    if answered.was_executed:
        return 200
    if answered.is_internal:
        return 500
    return 400 if chosen == GRAPHQL_JSON else 200


def _not_served(request: Request, error: NotServed, chosen: str) -> Response:
    refusal = Answer.refusing(f"{error} by {request.method}")
    if error.operation_type in SERVED_BY_METHOD["POST"]:
        return _response(refusal, chosen, 405, Allow="POST")
    return _response(refusal, chosen, 400)


def _response(answered: Answer, chosen: str, status: int, **headers: str) -> Response:
    return Response(orjson.dumps(answered.body), status, {**answer_headers(chosen), **headers})


class OwnPagesOnly:
    """Refuses what a page of another site sends.

    Such a page could not read the answer; but it could make us work, and later on more than that.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what comes from no page, or from a page on this machine."""
        if scope["type"] == "http":
            origin = Headers(scope=scope).get("origin")
            if origin is not None and not re.fullmatch(LOOPBACK_ORIGINS, origin):
                refusal = PlainTextResponse("Pages of other sites may not ask this ledger\n", 403)
                await refusal(scope, receive, send)
                return
        await self._app(scope, receive, send)


async def welcome(request: Request) -> Response:
    """Say where GraphQL is, to whoever opens the address in a browser."""
    return PlainTextResponse(WELCOME)


def application(url: str, zone: HomeZone, families: list[str] | None = None) -> Starlette:
    """The ASGI application that serves the ledger in the database `url` at /graphql.

    Of records, those of `families` are seen; all if it is None.
    """
    pool, channels = reading_pool(url), reading_channels(url)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with pool:
            yield
            channels.close()

    operations = Operations(schema, zone, channels, families)
    view = View(lambda: Context(pool, zone, families), operations)
    served = Starlette(
        routes=[
            Route("/", welcome, methods=["GET"]),
            Route(PATH, view.respond, methods=list(SERVED_BY_METHOD)),
        ],
        middleware=[
            Middleware(TrustedHostMiddleware, allowed_hosts=list(LOOPBACK_HOSTS)),
            Middleware(OwnPagesOnly),
            Middleware(
                CORSMiddleware,
                allow_origin_regex=LOOPBACK_ORIGINS,
                allow_methods=list(SERVED_BY_METHOD),
                allow_headers=["*"],
            ),
        ],
        lifespan=lifespan,
    )
    served.state.operations = operations
    return served


def server_config(application: Starlette, **options: Any) -> uvicorn.Config:
    """How uvicorn is to serve an application of ours, with further options of its own."""

    class Protocol(LeanProtocol):
        operations = application.state.operations
        path = PATH
        hosts = frozenset(LOOPBACK_HOSTS)

    return uvicorn.Config(
        application,
        loop="uvloop",
        http=Protocol,
        ws="none",
        lifespan="on",
        # The command line says how to log. Addresses can hold names, so they are not logged.
        log_config=None,
        access_log=False,
        server_header=False,
        # Whoever forwards requests to us does it from this machine, and may not rename it.
        proxy_headers=False,
        **options,
    )


class _Server(uvicorn.Server):
    """A server that tells when it answers."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()


def serve(
    url: str,
    zone: HomeZone,
    listener: socket,
    ready: Callable[[], None],
    families: list[str] | None = None,
) -> None:
    """Serve the ledger at `listener` until SIGINT or SIGTERM; call `ready` once it is served.

    Of records, those of `families` are seen; all if it is None. Afterwards the signal is raised
    again, for whoever handled it before.
    """
    options = {"timeout_graceful_shutdown": SECONDS_TO_FINISH}
    config = server_config(application(url, zone, families), **options)
    _Server(config, ready).run(sockets=[listener])
