"""Compiled operations: every kind of field, what is a parameter, what is kept, what is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from itertools import permutations
from typing import Any

import psycopg
import pytest
from graphql import parse

from ledger.database import connect
from schema import compiling, operations, schema
from schema.channel import Channels, as_text
from schema.compiling import CompiledDocument
from schema.context import Context
from schema.distance import Distances
from schema.http import reading_channels, reading_pool
from schema.operation import Operation
from schema.operations import Operations
from tests.schema.reader import ZONE, Reader

AS_OF = '(asOf: {effectiveOn: "2023-12-07", knownAt: "2023-12-07"})'

FIELDS = {
    "typename": "__typename ledger { __typename asOf { __typename } }",
    "point": f"ledger{AS_OF} {{ asOf {{ effectiveOn knownAt position rules }} }}",
    "scalars": "ledger { contributions { nodes { id key kind version fiscalYear } } }",
    "enum": "ledger { states { nodes { status } } }",
    "made": "ledger { contributions { nodes { pledged { amount currency } outstanding { amount }"
    " firstReceived { edtf earliest latest words text } } } }",
    "to one": "ledger { contributions { nodes { state { key nameRu } account { fund } } } }",
    "computed": f"ledger{AS_OF} {{ budgets {{ nodes {{ collectionRate {{ value entries(first: 1)"
    " { nodes { position } totalCount } } } } }",
    "record": "entries(last: 3) { nodes { record { __typename key ... on State { nameEn } } } }",
    "list": "ledger { treaties { nodes { parties { key inForce { certain } } } } }",
    "list of values": "entries(last: 3) { nodes { changes { field before after } } }",
    "page of rows": "ledger { states(first: 3) { nodes { key } edges { cursor node { key } }"
    " pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }",
    "page with a count": "ledger { states(last: 3) { __typename totalCount { certain possible }"
    " nodes { key } edges { __typename cursor } } }",
    "count alone": "ledger { states { totalCount { possible } } } entries { totalCount }",
    "nested page": "ledger { states(first: 2) { nodes { history { edges { node { type } } } } } }",
    "figure": "ledger { contributionTotals(by: [STATE]) { state { key } net { amount low high }"
    " share { value } } personYears { convention years { value } } }",
    "keyed": "ledger { budget(fiscalYear: 2023) { key } plan(year: 1) { key } }",
    "one record": 'record(kind: "state", id: "KAZ") { key ... on State { nameEn } }',
    "no record": 'record(kind: "state", id: "ZZZ") { key }',
    "entry": 'entry(position: "1") { position body effective { edtf } source { document } }',
    "node": 'node(id: "c3RhdGUvS0Fa") { __typename id } none: node(id: "nothing") { id }',
}


@pytest.mark.parametrize("selection", FIELDS.values(), ids=FIELDS.keys())
def test_every_kind_of_field(example: Reader, selection: str) -> None:
    # A reader holds what is compiled to Strawberry's own answer.
    example.data(f"{{ {selection} }}")
    assert example.compiled(f"{{ {selection} }}") is not None


def test_introspection_is_left_to_the_ordinary_way(example: Reader) -> None:
    document = "{ ledger { asOf { position } } __schema { queryType { name } } }"
    example.data(document)
    assert example.compiled(document) is None


def test_names_with_characters_that_json_escapes(example: Reader) -> None:
    named = example.data('{ ledger { states(filter: {key: ["KAZ"]}) { nodes { nameRu } } } }')
    assert named["ledger"]["states"]["nodes"] == [{"nameRu": "Казахстан"}]


# ---------------------------------------------------------------- variables

PAGE = """query ($filter: StateFilter, $order: StateOrder! = KEY, $first: Int, $after: String) {
    ledger { states(filter: $filter, orderBy: $order, first: $first, after: $after) {
        nodes { key } pageInfo { endCursor }
    } }
}"""


def test_one_plan_serves_all_values(example: Reader) -> None:
    anew = f"{PAGE} # of this test"
    for first in range(5):
        assert len(example.data(anew, first=first)["ledger"]["states"]["nodes"]) == first
    for key in ("KAZ", "TUR", "no such state"):
        example.data(anew, filter={"key": [key, '"quoted", \\ {and} NULL']})
    assert example.plans(anew) == 2


def test_an_operation_is_not_shaped_by_the_flags_of_another(example: Reader) -> None:
    document = """
        query A($x: Boolean!) { ledger { states(first: 1) { nodes { key @include(if: $x) } } } }
        query B($x: [String!]) { ledger { states(filter: {key: $x}) { nodes { key } } } }
    """
    for keys in (["KAZ"], ["TUR"]):
        compiled = CompiledDocument(schema._schema, parse(document), "B")
        request = compiled.request({"x": keys}, ZONE, None, Distances())
        compiled.compiled(request)
        assert len(compiled) == 1
        assert compiled.compiled(request)[0] is compiled.compiled(request)[0]


def test_what_shapes_a_statement_is_planned_anew_and_bounded(example: Reader) -> None:
    cursor = example.data(PAGE, first=1)["ledger"]["states"]["pageInfo"]["endCursor"]
    for given in ({}, {"after": cursor}):
        filters: list[dict[str, list[str]]] = [
            {},
            {"key": ["KAZ"]},
            {"status": ["MEMBER"]},
            {"key": []},
        ]
        for names in filters:
            example.data(PAGE, filter=names, **given)
        example.data(PAGE, order="NAME")
    example.data(PAGE, first=2)
    assert example.plans(PAGE) <= compiling.MOST_SHAPES


STATE, ENTRY, NOTHING = "c3RhdGUvS0Fa", "00000000-0000-0000-0000-000000000000", "nothing"

ONE_AFTER_THE_OTHER: dict[str, list[dict[str, Any]]] = {
    "query ($id: ID!) { node(id: $id) { __typename id } }": [
        {"id": STATE},
        {"id": "c3RhdGUvWlpa"},
        {"id": "Y29udHJpYnV0aW9uL0MtMjAwNi1LQVo"},
        {"id": "Z3JhbnQvS0Fa"},
        {"id": ENTRY},
        {"id": NOTHING},
    ],
    "query ($kind: String!, $id: ID!) { record(kind: $kind, id: $id) { key } }": [
        {"kind": "state", "id": "KAZ"},
        {"kind": "state", "id": STATE},
        {"kind": "state", "id": NOTHING},
        {"kind": "contribution", "id": STATE},
        {"kind": "nothing", "id": "KAZ"},
    ],
    "query ($at: BigInt!) { entry(position: $at) { id } }": [{"at": "1"}, {"at": "0"}, {"at": "x"}],
    "query ($y: Int!) { ledger { budget(fiscalYear: $y) { key } } }": [{"y": 2023}, {"y": 1}],
    """query ($by: [ContributionGrouping!], $f: ContributionFilter) {
        ledger { contributionTotals(by: $by, filter: $f) { fiscalYear net { amount } } }
    }""": [
        {"by": []},
        {"by": ["FISCAL_YEAR"]},
        {"by": ["STATE", "FISCAL_YEAR"]},
        {"by": ["FISCAL_YEAR"], "f": {"fiscalYear": [2023]}},
        {"by": ["FISCAL_YEAR"], "f": {"fiscalYear": []}},
    ],
    """query ($asOf: AsOf, $first: Int, $after: String, $last: Int, $o: StateOrder) {
        ledger(asOf: $asOf) {
            states(first: $first, after: $after, last: $last, orderBy: $o) { nodes { key } }
        }
    }""": [
        {},
        {"first": 0},
        {"last": 2, "o": "NAME"},
        {"last": 2},
        {"o": None},
        {"first": 2, "after": NOTHING},
        {"asOf": {"position": "5"}},
        {"asOf": {"effectiveOn": "2001-01-01"}, "first": 1},
        {"asOf": {"effectiveOn": NOTHING}},
    ],
}
"""Documents, and values of their variables of which none may shape what is answered to another."""


@pytest.mark.parametrize("document", ONE_AFTER_THE_OTHER)
def test_whatever_is_asked_first_the_next_has_its_own_answer(
    example: Reader, document: str
) -> None:
    values = ONE_AFTER_THE_OTHER[document]
    example.data(document, **values[0])
    for number, both in enumerate(permutations(values, 2)):
        # A document that nobody has asked before.
        anew = f"{document} # {number}"
        for variables in both:
            example.ask(anew, **variables)


@pytest.mark.parametrize(
    "wrong",
    [
        {"first": "three"},
        {"first": -1},
        {"first": 1001},
        {"order": None},
        {"order": "SIZE"},
        {"after": "no cursor"},
        {"filter": {"nosuch": 1}},
        {"filter": {"key": ["\0"]}},
    ],
    ids=str,
)
def test_what_is_wrong_is_said_the_ordinary_way(example: Reader, wrong: dict[str, Any]) -> None:
    example.data(PAGE)
    answer = example.ask(PAGE, **wrong)
    assert answer.errors
    assert example.compiled(PAGE, **wrong) is None
    # The document is as good as before.
    assert example.compiled(PAGE) is not None


def test_a_point_that_is_not_reached_is_refused_the_ordinary_way(example: Reader) -> None:
    document = "query ($at: BigInt) { ledger(asOf: {position: $at}) { bodies { nodes { key } } } }"
    example.data(document, at="3")
    assert example.compiled(document, at="3") is not None
    assert example.compiled(document, at="99999") is None


# ---------------------------------------------------------------- bounds


@contextmanager
def compiling_alone(url: str) -> Iterator[tuple[asyncio.Runner, Operations, Channels]]:
    with asyncio.Runner() as runner:
        channels = reading_channels(url, seeking=1, gathering=1)
        try:
            yield runner, Operations(schema, ZONE, channels), channels
        finally:
            channels.close()


async def learned(url: str, kept: Operations, document: str) -> None:
    async with reading_pool(url, size=1) as pool:
        context = Context(pool, ZONE)
        result = await schema.execute(document, context_value=context)
        assert not result.errors
    kept.learn(Operation(document), context.document)


def test_the_documents_kept_are_bounded(
    example_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operations, "MOST_DOCUMENTS", 3)
    with compiling_alone(example_database) as (runner, kept, _):
        documents = [f"{{ a{number}: ledger {{ __typename }} }}" for number in range(5)]
        for document in documents:
            runner.run(learned(example_database, kept, document))
        assert len(kept) == 3
        answers = [runner.run(kept.answer(Operation(document))) for document in documents]
        assert [answer is None for answer in answers] == [True, True, False, False, False]


def test_a_long_document_is_not_kept(example_database: str) -> None:
    document = f"{{ ledger {{ __typename }} }} # {'x' * operations.LONGEST_DOCUMENT}"
    with compiling_alone(example_database) as (runner, kept, _):
        runner.run(learned(example_database, kept, document))
        assert len(kept) == 0


def test_the_statements_prepared_are_bounded(
    example_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("schema.channel.MOST_PREPARED", 3)
    with compiling_alone(example_database) as (runner, _, channels):

        async def ask() -> list[Any]:
            for number in range(9):
                rows = await channels.run([(f"SELECT {number}, $1::text".encode(), [b"x"])])
                assert rows == [[(number, "x")]]
            return await channels.run([(b"SELECT count(*) FROM pg_prepared_statements", [])])

        (((prepared,),),) = runner.run(ask())
        assert prepared <= 5


def test_what_fails_leaves_no_more_prepared_than_what_does_not(
    example_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("schema.channel.MOST_PREPARED", 3)
    with compiling_alone(example_database) as (runner, _, channels):

        async def ask() -> list[Any]:
            for _ in range(12):
                with pytest.raises(psycopg.errors.DivisionByZero):
                    await channels.run([(b"SELECT 1 / $1::int", [b"0"])])
            return await channels.run([(b"SELECT count(*) FROM pg_prepared_statements", [])])

        (((prepared,),),) = runner.run(ask())
        assert prepared <= 5


# ---------------------------------------------------------------- the connection

KEYS = "{ ledger { bodies { nodes { key } } } }"


def test_a_lost_connection_is_opened_anew(example_database: str) -> None:
    with compiling_alone(example_database) as (runner, kept, channels):
        runner.run(learned(example_database, kept, KEYS))
        first = runner.run(kept.answer(Operation(KEYS)))
        assert first is not None
        (((pid,),),) = runner.run(channels.run([(b"SELECT pg_backend_pid()", [])]))
        with psycopg.connect(example_database, autocommit=True) as connection:
            connection.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
        # Whoever finds it lost is answered the ordinary way.
        answers = [runner.run(kept.answer(Operation(KEYS))) for _ in range(2)]
        assert answers[-1] == first
        assert all(answer in {None, first} for answer in answers)


def test_a_statement_that_fails_fails_its_own_request_only(example_database: str) -> None:
    with compiling_alone(example_database) as (runner, _, channels):

        async def ask() -> list[Any]:
            asked = [
                channels.run([(b"SELECT 1", []), (b"SELECT 1 / $1::int", [number])])
                for number in (b"1", b"0", b"1")
            ]
            return await asyncio.gather(*asked, return_exceptions=True)

        first, failed, last = runner.run(ask())
        assert first == last == [[(1,)], [(1,)]]
        assert isinstance(failed, psycopg.errors.DivisionByZero)


def test_a_request_that_is_cancelled_leaves_the_others_alone(example_database: str) -> None:
    with compiling_alone(example_database) as (runner, _, channels):

        async def ask() -> list[Any]:
            slow = asyncio.ensure_future(channels.run([(b"SELECT pg_sleep(0.2)", [])]))
            await asyncio.sleep(0.05)
            following = asyncio.ensure_future(channels.run([(b"SELECT 2", [])]))
            await asyncio.sleep(0)
            slow.cancel()
            return await following

        assert runner.run(ask()) == [[(2,)]]


def test_more_is_sent_than_a_socket_takes_at_once(example_database: str) -> None:
    long = b"x" * 5_000_000
    with compiling_alone(example_database) as (runner, _, channels):
        rows = runner.run(channels.run([(b"SELECT length($1::text)", [long])] * 3))
        assert rows == [[(len(long),)]] * 3


def test_parameters_are_read_as_they_were_meant(database: str) -> None:
    values: list[Any] = [None, True, -3, "ü {\"\\'", ["a", None, '"\\'], [1, 2], []]
    types = ["text", "bool", "int8", "text", "text[]", "int8[]", "text[]"]
    with connect(database) as connection:
        for value, sql_type in zip(values, types, strict=True):
            text = as_text(value)
            sent = None if text is None else text.decode()
            found = connection.execute(f"SELECT %s::text::{sql_type}", [sent]).fetchone()
            assert found == (value,)


def test_a_write_is_refused_on_a_channel(example_database: str) -> None:
    with (
        compiling_alone(example_database) as (runner, _, channels),
        pytest.raises(psycopg.errors.ReadOnlySqlTransaction),
    ):
        runner.run(channels.run([(b"INSERT INTO ledger.settings VALUES ('a', 'b')", [])]))


TOTALS = "{ ledger { contributionTotals { currency } } }"


def test_whoever_seeks_does_not_wait_behind_somebody_who_gathers(example_database: str) -> None:
    with compiling_alone(example_database) as (runner, kept, channels):
        for document in (KEYS, TOTALS):
            runner.run(learned(example_database, kept, document))
            assert runner.run(kept.answer(Operation(document))) is not None

        async def ask() -> list[str]:
            ended: list[str] = []
            slow = channels.run([(b"SELECT pg_sleep(0.3)", [])], gathers=True)
            waiting = [
                _noted(slow, "the one before", ended),
                _noted(kept.answer(Operation(TOTALS)), "totals", ended),
                _noted(kept.answer(Operation(KEYS)), "keys", ended),
            ]
            await asyncio.gather(*waiting)
            return ended

        assert runner.run(ask()) == ["keys", "the one before", "totals"]


async def _noted(awaited: Awaitable[Any], name: str, ended: list[str]) -> None:
    await awaited
    ended.append(name)
