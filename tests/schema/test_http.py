"""GraphQL over HTTP, asked of a real server on a real database."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, LiteralString

import httpx
import psycopg
import pytest
import uvicorn
from gql import Client, gql
from gql.transport.httpx import HTTPXTransport
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from ledger.database import connect
from ledger.dates import HomeZone
from ledger.settings import initialise
from schema import http, schema
from schema.context import Context
from schema.http_request import GRAPHQL_JSON, JSON, LARGEST_BODY, media_type
from tests.schema.reader import ZONE

TYPENAME = {"query": "{ __typename }"}
POSITION = {"query": "{ ledger { asOf { position } } }"}
OWN_PAGE, FOREIGN_PAGE = "http://localhost:3000", "https://example.org"
SECONDS_TO_START = 30

NAME = "Zhang Ling"
"""What an error may quote, and nobody may read."""


@contextmanager
def serving(url: str, zone: HomeZone = ZONE) -> Iterator[httpx.Client]:
    """Serve the database at `url` in a thread of its own, and give a client for it."""
    server = uvicorn.Server(http.server_config(http.application(url, zone)))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            # The socket listens already, so the first request waits until the server is there.
            with httpx.Client(
                base_url=f"http://127.0.0.1:{port}", timeout=SECONDS_TO_START
            ) as client:
                yield client
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture(scope="module")
def client(example_database: str) -> Iterator[httpx.Client]:
    """A client of a server of the example register."""
    with serving(example_database) as client:
        yield client


@pytest.fixture
def empty_ledger(database: str) -> str:
    """The URL of a ledger without entries, of the test's own."""
    with connect(database) as connection:
        initialise(connection, name="test", home_zone=ZONE.name)
    return database


def ask(client: httpx.Client, body: Any, accept: str = GRAPHQL_JSON) -> httpx.Response:
    return client.post("/graphql", json=body, headers={"Accept": accept})


def send(client: httpx.Client, content: Any, content_type: str = JSON) -> httpx.Response:
    headers = {"Accept": GRAPHQL_JSON, "Content-Type": content_type}
    return client.post("/graphql", content=content, headers=headers)


def message_of(response: httpx.Response) -> str:
    """The message of the one error of a response that has nothing else."""
    body = response.json()
    assert list(body) == ["errors"]
    (error,) = body["errors"]
    return str(error["message"])


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        (None, JSON),
        ("", JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        (JSON, JSON),
        (GRAPHQL_JSON, GRAPHQL_JSON),
        (f"{GRAPHQL_JSON}; charset=utf-8", GRAPHQL_JSON),
        (GRAPHQL_JSON.upper(), GRAPHQL_JSON),
        (f"{GRAPHQL_JSON}, {JSON}", GRAPHQL_JSON),
        (f"{JSON}, {GRAPHQL_JSON}", GRAPHQL_JSON),
        (f"{GRAPHQL_JSON}, {JSON};q=0.9", GRAPHQL_JSON),
        (f"{GRAPHQL_JSON};q=0.8, {JSON}", JSON),
        (f"{GRAPHQL_JSON};q=0.8, */*;q=0.9", JSON),
        (f"{JSON};q=0, */*", GRAPHQL_JSON),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", JSON),
        (f"{GRAPHQL_JSON}, application/graphql+json, {JSON}, text/event-stream", GRAPHQL_JSON),
        ("text/html", None),
        ("multipart/mixed", None),
        (f"{JSON};q=0", None),
        (f"{JSON};q=often", None),
    ],
)
def test_the_client_chooses_the_media_type(accept: str | None, chosen: str | None) -> None:
    assert media_type(accept) == chosen


@pytest.mark.parametrize("media_type", [JSON, GRAPHQL_JSON])
def test_an_answer_says_what_it_is_and_is_not_kept(client: httpx.Client, media_type: str) -> None:
    response = ask(client, TYPENAME, media_type)
    assert response.status_code == 200
    assert response.json() == {"data": {"__typename": "Query"}}
    assert response.headers["Content-Type"] == f"{media_type}; charset=utf-8"
    assert response.headers["Cache-Control"] == "no-store"
    assert "Accept" in response.headers["Vary"]


def test_what_nobody_speaks_is_not_acceptable(client: httpx.Client) -> None:
    response = ask(client, TYPENAME, "text/html")
    assert response.status_code == 406
    assert GRAPHQL_JSON in message_of(response)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"query": "{"}, "Syntax Error"),
        ({"query": "{ nothing }"}, "Cannot query field 'nothing'"),
        ({"query": "query ($id: ID!) { node(id: $id) { id } }"}, "'$id'"),
        ({"query": "query A { __typename } query B { __typename }"}, "several operations"),
        ({"query": "{ __typename }", "operationName": "C"}, "no operation named 'C'"),
        ({"query": "fragment A on Query { __typename }"}, "no operation"),
        ({"query": "mutation { __typename }"}, "mutation"),
        ({"query": "{ ledger" * 400}, "nested too deeply"),
        ({"query": f"{{ entry(position: {'[' * 2000}{']' * 2000}) {{ id }} }}"}, "too deeply"),
        ({"query": f"{{ {'a ' * 6000} }}"}, "tokens"),
        ({"query": "{ " + " ".join(f"a{i}: __typename" for i in range(300)) + " }"}, "aliases"),
    ],
)
def test_what_cannot_be_executed_is_the_clients_mistake(
    client: httpx.Client, caplog: pytest.LogCaptureFixture, body: dict[str, str], told: str
) -> None:
    response = ask(client, body, GRAPHQL_JSON)
    assert response.status_code == 400
    assert told in message_of(response)
    # Plain JSON may come from anything on the way, so there the status says that we are the one.
    assert ask(client, body, JSON).status_code == 200
    assert caplog.records == []


def test_an_error_during_the_execution_has_its_place_and_its_message(client: httpx.Client) -> None:
    response = ask(client, {"query": "{ ledger { states(first: -1) { nodes { key } } } }"})
    assert response.status_code == 200
    (error,) = response.json()["errors"]
    assert error["path"] == ["ledger", "states"]
    assert "`first` is -1" in error["message"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"null",
        b"3",
        b'"{ __typename }"',
        b'{ "not a JSON',
        b'{"query": "\xff"}',
        b'{"query": "{ __typename }", "variables": {"a": "\\ud800"}}',
        b'{"variables": {"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}}",
        # Several at once would pass by the limits on each.
        b'[{"query": "{ __typename }"}]',
        b"{}",
        b'{"query": null}',
        b'{"query": " "}',
        b'{"query": ["{ __typename }"]}',
        b'{"query": "{ __typename }", "operationName": 1}',
        b'{"query": "{ __typename }", "variables": []}',
        b'{"query": "{ __typename }", "variables": "{}"}',
        b'{"query": "{ __typename }", "extensions": 0}',
    ],
)
def test_what_is_no_request_is_refused(
    client: httpx.Client, caplog: pytest.LogCaptureFixture, content: bytes
) -> None:
    response = send(client, content)
    assert response.status_code == 400
    assert message_of(response)
    assert response.headers["Content-Type"].startswith(GRAPHQL_JSON)
    assert caplog.records == []


@pytest.mark.parametrize("name", ["operationName", "variables", "extensions"])
def test_what_is_null_is_left_out(client: httpx.Client, name: str) -> None:
    assert ask(client, {**TYPENAME, name: None}).json() == {"data": {"__typename": "Query"}}


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "application/graphql",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=utf-16",
    ],
)
def test_only_json_in_utf8_is_read(client: httpx.Client, content_type: str) -> None:
    response = send(client, json.dumps(TYPENAME), content_type)
    assert response.status_code == 415
    assert JSON in message_of(response)


@pytest.mark.parametrize("content_type", ['application/json; charset="UTF-8"', "Application/JSON"])
def test_a_content_type_is_read_as_http_has_it(client: httpx.Client, content_type: str) -> None:
    assert send(client, json.dumps(TYPENAME), content_type).status_code == 200


def test_a_body_has_a_limit_announced_or_not(client: httpx.Client) -> None:
    assert send(client, b" " * (LARGEST_BODY + 1)).status_code == 413
    assert send(client, (b" " * 1000 for _ in range(LARGEST_BODY // 1000 + 1))).status_code == 413
    most = json.dumps(TYPENAME).encode().ljust(LARGEST_BODY)
    assert send(client, most).status_code == 200


def test_whoever_leaves_in_the_middle_is_let_go(
    client: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_connection(("127.0.0.1", client.base_url.port or 0)) as connection:
        connection.sendall(
            b"POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Content-Length: 100\r\n\r\n{"
        )
    assert ask(client, TYPENAME).status_code == 200
    assert caplog.records == []


def test_a_query_may_come_by_get(client: httpx.Client) -> None:
    query = "query Type($name: String!) { __type(name: $name) { name } }"
    parameters = {"query": query, "variables": '{"name": "State"}', "operationName": "Type"}
    response = client.get("/graphql", params=parameters)
    assert response.json() == {"data": {"__type": {"name": "State"}}}
    assert client.head("/graphql", params=parameters).status_code == 200


@pytest.mark.parametrize(
    "parameters",
    [
        "",
        "query=%FF",
        "query=%7B__typename%7D&variables=%7B",
        "query=%7B__typename%7D&variables=1",
        "&".join(f"a{number}=1" for number in range(200)),
    ],
)
def test_a_get_without_a_readable_query_is_refused(client: httpx.Client, parameters: str) -> None:
    response = client.get(f"/graphql?{parameters}", headers={"Accept": "text/html, */*"})
    assert response.status_code == 400
    assert message_of(response)


def test_a_get_cannot_change_anything(client: httpx.Client) -> None:
    response = client.get("/graphql", params={"query": "mutation { __typename }"})
    assert response.status_code == 405
    assert response.headers["Allow"] == "POST"
    assert message_of(response) == "a mutation is not served by GET"


def test_a_subscription_is_not_served_like_this(client: httpx.Client) -> None:
    response = ask(client, {"query": "subscription { __typename }"})
    assert response.status_code == 400
    assert message_of(response) == "a subscription is not served by POST"


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS"])
def test_other_methods_are_not_allowed(client: httpx.Client, method: str) -> None:
    response = client.request(method, "/graphql")
    assert response.status_code == 405
    assert set(response.headers["Allow"].split(", ")) == {"GET", "HEAD", "POST"}


def test_the_root_says_where_to_ask(client: httpx.Client) -> None:
    response = client.get("/")
    assert response.status_code == 200
    assert "POST /graphql" in response.text


@pytest.mark.parametrize("host", ["example.org", "localhost.example.org", "127.0.0.1.example.org"])
def test_another_name_for_this_machine_is_not_ours(client: httpx.Client, host: str) -> None:
    response = client.post("/graphql", json=TYPENAME, headers={"Host": host})
    assert response.status_code == 400


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1", "[::1]:8000"])
def test_this_machine_has_several_names(client: httpx.Client, host: str) -> None:
    assert client.post("/graphql", json=TYPENAME, headers={"Host": host}).status_code == 200


def test_a_page_on_this_machine_may_ask(client: httpx.Client) -> None:
    response = client.post("/graphql", json=TYPENAME, headers={"Origin": OWN_PAGE})
    assert response.headers["Access-Control-Allow-Origin"] == OWN_PAGE
    preflight = {
        "Origin": OWN_PAGE,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type",
    }
    response = client.options("/graphql", headers=preflight)
    assert response.status_code == 200
    assert response.headers["Access-Control-Allow-Origin"] == OWN_PAGE
    assert "POST" in response.headers["Access-Control-Allow-Methods"]


@pytest.mark.parametrize("origin", [FOREIGN_PAGE, "null", "http://localhost.example.org"])
def test_a_page_of_another_site_may_not_ask(client: httpx.Client, origin: str) -> None:
    preflight = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    for response in (
        client.post("/graphql", json=TYPENAME, headers={"Origin": origin}),
        client.get("/graphql", params=TYPENAME, headers={"Origin": origin}),
        client.options("/graphql", headers=preflight),
    ):
        assert response.status_code == 403
        assert not [name for name in response.headers if name.startswith("access-control")]


def test_the_gql_client_reads_the_schema_and_asks_by_it(client: httpx.Client) -> None:
    transport = HTTPXTransport(url=f"{client.base_url}/graphql")
    document = gql(
        """
        query Members($asOf: AsOf, $status: [StateStatus!]) {
          ledger(asOf: $asOf) {
            asOf { effectiveOn }
            states(filter: { status: $status }, first: 1) {
              totalCount { certain possible }
              nodes { key nameEn }
            }
          }
        }
        """
    )
    document.variable_values = {"asOf": {"effectiveOn": "2023-12-07"}, "status": ["MEMBER"]}
    with Client(transport=transport, fetch_schema_from_transport=True) as session:
        answer = session.execute(document)["ledger"]
        assert session.client.schema is not None
        assert session.client.schema.type_map.keys() == schema._schema.type_map.keys()
    assert answer["asOf"] == {"effectiveOn": "2023-12-07"}
    assert answer["states"]["totalCount"] == {"certain": 28, "possible": 28}
    assert answer["states"]["nodes"] == [{"key": "AFG", "nameEn": "Afghanistan"}]


def test_a_bug_is_logged_once_and_tells_nobody_anything(
    client: httpx.Client, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*arguments: object) -> None:
        raise LookupError(NAME)

    monkeypatch.setattr(Context, "run", broken)
    response = ask(client, POSITION)
    assert response.status_code == 200
    (error,) = response.json()["errors"]
    assert error["message"] == "internal error"
    assert error["path"] == ["ledger"]
    assert error["extensions"] == {"code": "INTERNAL"}
    (record,) = caplog.records
    logged = record.getMessage()
    assert "internal error in ledger: builtins.LookupError" in logged
    assert "in broken" in logged
    assert NAME not in logged
    assert record.exc_info is None


def test_a_bug_before_the_execution_is_logged_likewise(
    client: httpx.Client, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*arguments: object) -> None:
        raise LookupError(NAME)

    monkeypatch.setattr(http, "read_operation", broken)
    # What was asked before is answered without it.
    response = ask(client, {"query": f"{POSITION['query']} # for the first time"})
    assert response.status_code == 500
    assert message_of(response) == "internal error"
    (record,) = caplog.records
    assert "builtins.LookupError" in record.getMessage()
    assert NAME not in record.getMessage()


def end_sessions(server_url: str, database: str) -> None:
    """End all sessions of a database, as a restart of the server does."""
    name = conninfo_to_dict(database)["dbname"]
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s",
            [name],
        )


def test_lost_connections_are_noticed_before_they_are_used(
    server_url: str, empty_ledger: str
) -> None:
    with serving(empty_ledger) as client:
        assert ask(client, POSITION).json() == {"data": {"ledger": {"asOf": {"position": "0"}}}}
        end_sessions(server_url, empty_ledger)
        assert ask(client, POSITION).json() == {"data": {"ledger": {"asOf": {"position": "0"}}}}


def test_an_outage_is_told_and_gone_as_soon_as_the_database_is_back(
    server_url: str, empty_ledger: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "SECONDS_FOR_A_CONNECTION", 0.5)

    def let_clients_in(answer: LiteralString) -> None:
        name = sql.Identifier(str(conninfo_to_dict(empty_ledger)["dbname"]))
        alter = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
        with psycopg.connect(server_url, autocommit=True) as connection:
            connection.execute(alter.format(name, sql.SQL(answer)))

    with serving(empty_ledger) as client:
        assert "errors" not in ask(client, POSITION).json()
        let_clients_in("false")
        end_sessions(server_url, empty_ledger)
        response = ask(client, POSITION)
        let_clients_in("true")
        assert response.status_code == 200
        (error,) = response.json()["errors"]
        assert "the ledger's database can't be reached" in error["message"]
        assert error["extensions"] == {"code": "UNAVAILABLE"}
        assert "errors" not in ask(client, POSITION).json()


# ---------------------------------------------------------------- documents that are known already

KNOWN = {"query": "{ ledger { states(first: 1) { nodes { key } } } }"}


@pytest.mark.parametrize("accept", [JSON, GRAPHQL_JSON, "*/*", ""])
def test_a_known_document_is_answered_as_before(client: httpx.Client, accept: str) -> None:
    # The first answer is the ordinary one; a header in many pieces takes the general way.
    answers = [ask(client, KNOWN, accept) for _ in range(3)]
    general = client.post("/graphql", json=KNOWN, headers={"Accept": accept, "Origin": OWN_PAGE})
    assert {answer.content for answer in [*answers, general]} == {answers[0].content}
    for answer in answers:
        assert answer.status_code == 200
        headers = dict(answer.headers) | {"date": general.headers["date"]}
        assert headers == {
            name: value
            for name, value in general.headers.items()
            if not name.startswith("access-control-")
        }


def test_what_is_known_passes_the_same_checks(client: httpx.Client) -> None:
    for _ in range(2):
        assert ask(client, KNOWN).status_code == 200
    text = json.dumps(KNOWN)
    assert client.post("/graphql", json=KNOWN, headers={"Host": "evil.example"}).status_code == 400
    assert client.post("/graphql", json=KNOWN, headers={"Origin": FOREIGN_PAGE}).status_code == 403
    assert client.post("/graphql", json=KNOWN, headers={"Accept": "text/html"}).status_code == 406
    assert send(client, text, "text/plain").status_code == 415
    assert send(client, text + " " * LARGEST_BODY).status_code == 413
    assert send(client, text[:-1]).status_code == 400
    assert send(client, iter([text[:9].encode(), text[9:].encode()])).status_code == 200
    assert ask(client, {**KNOWN, "variables": 3}).status_code == 400
    own = client.post("/graphql", json=KNOWN, headers={"Origin": OWN_PAGE})
    assert own.headers["access-control-allow-origin"] == OWN_PAGE
