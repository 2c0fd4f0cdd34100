"""The limit for reading: a Starlette endpoint with one statement that returns ready JSON.

    python -m benchmarks.bare URL

It knows no schema, no as-of point and no access; each path has its one answer.
"""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

Pool = AsyncConnectionPool[AsyncConnection[tuple[str]]]

_ROW = """
    SELECT c.key, c.fiscal_year AS "fiscalYear", c.received::text AS received, c.currency,
           json_build_object('key', s.key, 'nameEn', s.name_en) AS state,
           json_build_object('key', a.key, 'fund', a.fund) AS account
      FROM peers.contributions AS c
      LEFT JOIN peers.states AS s ON s.key = c.state
      LEFT JOIN peers.accounts AS a ON a.key = c.account
"""

STATEMENTS = {
    "/contribution": f"SELECT row_to_json(row)::text FROM ({_ROW} WHERE c.key = %(key)s) AS row",  # noqa: S608  # A constant of ours, not a value.
    "/contributions": f"""
        SELECT json_agg(row)::text FROM ({_ROW} ORDER BY c.key LIMIT %(first)s) AS row
    """,  # noqa: S608  # A constant of ours, not a value.
    "/totals": """
        SELECT json_agg(row)::text
          FROM (SELECT json_build_object('key', state) AS state, currency, net::text AS net,
                       net_low::text AS low, net_high::text AS high
                  FROM peers.totals) AS row
    """,
}


def application(url: str) -> Starlette:
    """The endpoint on the database `url`."""
    pool: Pool = AsyncConnectionPool(url, kwargs={"autocommit": True}, max_size=4, open=False)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with pool:
            yield

    async def respond(request: Request) -> Response:
        parameters = json.loads(await request.body())
        async with pool.connection() as connection:
            statement = STATEMENTS[request.url.path].encode()
            row = await (await connection.execute(statement, parameters)).fetchone()
        found = row[0] if row else "null"
        return Response(f'{{"data":{found}}}', media_type="application/json")

    routes = [Route(path, respond, methods=["POST"]) for path in STATEMENTS]
    return Starlette(routes=routes, lifespan=lifespan)


def main(url: str) -> None:
    """Serve at a free port, and print the address."""
    listener = socket.create_server(("127.0.0.1", 0))
    print(f"http://127.0.0.1:{listener.getsockname()[1]}/", flush=True)
    config = uvicorn.Config(
        application(url), loop="uvloop", http="httptools", ws="none", log_config=None
    )
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main(*sys.argv[1:])
