"""What can't be answered: a mistake is named at its field, the rest is answered, nothing leaks."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from projections import REGISTRY
from tests.schema.reader import Reader

REPORT = {"effectiveOn": "2023-12-07", "knownAt": "2023-12-07"}
Located = tuple[str, list[str | int] | None]


def page(example: Reader, arguments: str, field: str = "contributions") -> Located:
    """The refusal of a page of a field of the ledger, or else of `Query`."""
    selection = f"{field}({arguments}) {{ pageInfo {{ endCursor }} }}"
    return example.refusal(f"{{ {selection} }}" if field == "entries" else ledger(selection))


def shown(value: Any) -> str:
    """A value as a part of a test's name."""
    text = ascii(value)
    return text if len(text) <= 60 else f"{text[:30]}…{text[-30:]}"


def ledger(selection: str) -> str:
    """The document that selects this of the ledger as of now."""
    return f"{{ ledger {{ {selection} }} }}"


# ---------------------------------------------------------------- pages

SIZES = "a page has from 0 to 1000 nodes"


@pytest.mark.parametrize("field", ["contributions", "entries"])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("first: 1001", f"`first` is 1001; {SIZES}"),
        ("first: 2147483647", f"`first` is 2147483647; {SIZES}"),
        ("first: -1", f"`first` is -1; {SIZES}"),
        ("last: 1001", f"`last` is 1001; {SIZES}"),
        ("last: -2147483648", f"`last` is -2147483648; {SIZES}"),
        ("first: 1, last: 1", "give `first` or `last`, not both"),
        ("first: 0, last: 0", "give `first` or `last`, not both"),
    ],
)
def test_a_page_of_no_size(example: Reader, field: str, arguments: str, message: str) -> None:
    path = ["entries"] if field == "entries" else ["ledger", "contributions"]
    assert page(example, arguments, field) == (message, path)


def cursor(*parts: Any) -> str:
    """A cursor of these parts, made by somebody else."""
    return encoded(json.dumps(parts, separators=(",", ":")).encode())


def encoded(text: bytes) -> str:
    """A text as cursors are written."""
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


LIST = "contributions"

NO_CURSORS = [
    "",
    "x",
    "====",
    "%%%%",
    "ключ",
    "𝟙",
    encoded(b"\xff\xfe"),
    encoded(b"null"),
    encoded(b"{}"),
    encoded(b'"abcd"'),
    encoded(b'{"contributions":1,"KEY":2,"c":3,"d":4}'),
    encoded(b"[" * 100_000),
    encoded(b"1" * 10_000),
    encoded(b"NaN"),
    cursor(),
    cursor(LIST),
    cursor(LIST, "KEY"),
    cursor(LIST, "KEY", "C-2023-KAZ"),
    cursor(LIST, "KEY", "C-2023-KAZ", "C-2023-KAZ", "C-2023-KAZ"),
    cursor(LIST, "KEY", 1, 2),
    cursor(LIST, "KEY", None, None),
    cursor(LIST, "KEY", ["C-2023-KAZ"], "C-2023-KAZ"),
    cursor(LIST, "KEY", {"a": 1}, "C-2023-KAZ"),
    cursor(*[LIST, "KEY", True, "C-2023-KAZ"]),
    cursor("states", "KEY", "KAZ", "KAZ"),
    cursor("entries", "POSITION", "1", "1"),
    cursor("projections.contributions", "KEY", "C-2023-KAZ", "C-2023-KAZ"),
    # The right parts, written otherwise.
    cursor(LIST, "KEY", "C-2023-KAZ", "C-2023-KAZ") + "==",
    encoded(json.dumps([LIST, "KEY", "C", "C"]).encode()),
]


@pytest.mark.parametrize("argument", ["after", "before"])
@pytest.mark.parametrize("given", NO_CURSORS, ids=shown)
def test_what_is_no_cursor(example: Reader, argument: str, given: str) -> None:
    document = f"query ($c: String) {{ ledger {{ {LIST}({argument}: $c) {{ nodes {{ key }} }} }} }}"
    refusal = example.refusal(document, c=given)
    assert refusal == (f"`{argument}` is not a cursor that this list gave", ["ledger", LIST])


UNREADABLE = {
    "FISCAL_YEAR": ["", "x", "1e3", "2023.0", " 2023", "+2023", "٢٠٢٣", "9" * 19, "9" * 5_000],
    "RECEIVED": [
        "",
        "x",
        "NaN",
        "Infinity",
        "1e400",
        "1E+5",
        " 1",
        ".5",
        "1.",
        "１",
        "9" * 140_000,
    ],
    "JOINED": ["", "x", "2023", "2023-02-30", "20230501", "2023-W01-1", "infinity", "10000-01-01"],
}


@pytest.mark.parametrize(
    ("order", "value"),
    [(order, value) for order in UNREADABLE for value in UNREADABLE[order]],
    ids=shown,
)
def test_a_cursor_of_the_right_form_with_an_impossible_value(
    example: Reader, order: str, value: str
) -> None:
    field = "secondments" if order == "JOINED" else LIST
    document = f"""query ($c: String) {{
        ledger {{ {field}(orderBy: {order}, after: $c) {{ nodes {{ key }} }} }}
    }}"""
    message, path = example.refusal(document, c=cursor(field, order, value, "C-2023-KAZ"))
    assert (message, path) == ("`after` is not a cursor that this list gave", ["ledger", field])


@pytest.mark.parametrize("value", ["x", "-", "1.5", "9" * 19, "9" * 5_000, ""])
def test_a_cursor_of_entries_with_an_impossible_position(example: Reader, value: str) -> None:
    document = "query ($c: String) { entries(before: $c) { nodes { key } } }"
    message, path = example.refusal(document, c=cursor("entries", "POSITION", value, "1"))
    assert (message, path) == ("`before` is not a cursor that this list gave", ["entries"])


def test_a_cursor_of_another_order(example: Reader) -> None:
    info = "pageInfo { endCursor }"
    found = example.ledger(f"contributions(first: 1, orderBy: FISCAL_YEAR) {{ {info} }}")
    given = found["contributions"]["pageInfo"]["endCursor"]
    for order in ("KEY", "STATE", "RECEIVED"):
        message, path = page(example, f'after: "{given}", orderBy: {order}')
        assert message == "`after` is a cursor of another order: begin anew"
        assert path == ["ledger", "contributions"]


def test_a_cursor_of_another_list(example: Reader) -> None:
    given = example.ledger("states(first: 1) { pageInfo { endCursor } }")
    states = given["states"]["pageInfo"]["endCursor"]
    for field in ("contributions", "bodies"):
        refusal = page(example, f'after: "{states}"', field)
        assert refusal == ("`after` is not a cursor that this list gave", ["ledger", field])


# ---------------------------------------------------------------- points


def test_a_position_beyond_the_head(example: Reader) -> None:
    for position in (371, 2**63 - 1):
        document = f'{{ ledger(asOf: {{position: "{position}"}}) {{ __typename }} }}'
        expected = (f"`position`: the ledger has no entry {position} yet", ["ledger"])
        assert example.refusal(document) == expected
    document = '{ record(kind: "state", id: "KAZ", asOf: {position: 371}) { key } }'
    assert example.refusal(document) == ("`position`: the ledger has no entry 371 yet", ["record"])


def test_a_moment_and_a_position(example: Reader) -> None:
    document = '{ ledger(asOf: {position: 1, knownAt: "2023-01-01"}) { __typename } }'
    assert example.refusal(document) == ("give `knownAt` or `position`, not both", ["ledger"])


@pytest.mark.parametrize(
    "known_at",
    ["", "yesterday", "2023", "2023-02-30", "2023-06-30T12:00:00", "2023-06-30 12:00Z", "2023\0"],
)
def test_what_is_no_moment(example: Reader, known_at: str) -> None:
    document = "query ($at: Instant) { ledger(asOf: {knownAt: $at}) { __typename } }"
    message, path = example.refusal(document, at=known_at)
    assert message.startswith(f"`knownAt`: {known_at!r} is not a point in time: "), message
    assert path == ["ledger"]


@pytest.mark.parametrize("known_at", [5, True, ["2023-01-01"], {"day": "2023-01-01"}])
def test_a_moment_is_a_text(example: Reader, known_at: Any) -> None:
    document = "query ($at: Instant) { ledger(asOf: {knownAt: $at}) { __typename } }"
    message, path = example.refusal(document, at=known_at)
    assert f"{known_at!r} is not text with a moment or a day" in message
    assert path is None


@pytest.mark.parametrize("day", ["2023-02-30", "0000-01-01", "10000-01-01", "yesterday", "", 5])
def test_what_is_no_day(example: Reader, day: Any) -> None:
    document = "query ($day: Date) { ledger(asOf: {effectiveOn: $day}) { __typename } }"
    answer = example.ask(document, day=day)
    assert (answer.data, answer.statements) == (None, 0)
    (error,) = answer.errors
    assert error.message.startswith("Variable '$day' has invalid value: ")


# ---------------------------------------------------------------- numbers and texts

NOT_BIG = [-1, "-1", "1.0", 1.5, "1e3", "", " 1", "+1", "٣", "1_000", True, 2**63, "9" * 5_000, [1]]


@pytest.mark.parametrize("value", NOT_BIG, ids=shown)
def test_what_is_no_position(example: Reader, value: Any) -> None:
    answer = example.ask("query ($p: BigInt!) { entry(position: $p) { id } }", p=value)
    assert (answer.data, answer.statements) == (None, 0)
    (error,) = answer.errors
    assert error.message.endswith(" is not a whole number from 0 to 9223372036854775807")
    assert len(error.message) < 250


@pytest.mark.parametrize("literal", ["-1", "1.0", "1e3", "true", '"x"', "ONE", "[1]", "{a: 1}"])
def test_what_is_no_position_in_the_document(example: Reader, literal: str) -> None:
    answer = example.ask(f"{{ entry(position: {literal}) {{ id }} }}")
    assert (answer.data, answer.statements) == (None, 0)


@pytest.mark.parametrize("form", ["3", '"3"', '"003"', "$number", "$text"])
def test_the_forms_of_a_position(example: Reader, form: str) -> None:
    document = f"""query ($number: BigInt = 3, $text: BigInt = "3") {{
        entry(position: {form}) {{ position }}
        ledger(asOf: {{position: {form}}}) {{ asOf {{ position }} }}
        a: entry(position: $number) {{ position }} b: entry(position: $text) {{ position }}
    }}""".replace("BigInt =", "BigInt! =")
    found = example.data(document, number=3, text="3")
    three = {"position": "3"}
    assert found == {"entry": three, "ledger": {"asOf": three}, "a": three, "b": three}


def test_the_largest_position(example: Reader) -> None:
    document = "query ($p: BigInt!) { entry(position: $p) { id } }"
    for largest in (2**63 - 1, str(2**63 - 1)):
        assert example.data(document, p=largest) == {"entry": None}
    found = example.data("{ entries(filter: {afterPosition: 9223372036854775807}) { totalCount } }")
    assert found == {"entries": {"totalCount": "0"}}


@pytest.mark.parametrize("year", [2**31, -(2**31) - 1, 10**30, "2023", 2023.5, True])
def test_a_year_of_more_than_32_bits(example: Reader, year: Any) -> None:
    answer = example.ask("query ($y: Int!) { ledger { budget(fiscalYear: $y) { key } } }", y=year)
    assert (answer.data, answer.statements) == (None, 0)
    (error,) = answer.errors
    assert error.message.startswith("Variable '$y' has invalid value: ")


def test_years_of_32_bits(example: Reader) -> None:
    document = """query ($y: Int!) { ledger {
        budget(fiscalYear: $y) { key } contributions(filter: {fiscalYear: [$y]}) { nodes { key } }
    } }"""
    for year in (2**31 - 1, -(2**31), 0):
        found = example.data(document, y=year)["ledger"]
        assert found == {"budget": None, "contributions": {"nodes": []}}


UNSENDABLE = "a text can't have a NUL character or half of a surrogate pair"

WITH_TEXT = [
    (ledger("states(filter: {key: [$t]}) { nodes { key } }"), ["ledger", "states"]),
    (ledger('states(filter: {key: ["KAZ", $t]}) { nodes { key } }'), ["ledger", "states"]),
    (ledger("accounts(filter: {fund: [$t]}) { totalCount { certain } }"), ["ledger", "accounts"]),
    (
        ledger("contributionTotals(filter: {currency: [$t]}) { currency }"),
        ["ledger", "contributionTotals"],
    ),
    (ledger("personYears(filter: {state: [$t]}) { convention }"), ["ledger", "personYears"]),
    ('{ record(kind: "state", id: $t) { key } }', ["record"]),
    ("{ entries(filter: {type: [$t]}) { totalCount } }", ["entries"]),
]


@pytest.mark.parametrize("text", ["a\0b", "\0", "\ud800", "a\udfffb"])
@pytest.mark.parametrize(("document", "path"), WITH_TEXT)
def test_texts_that_postgresql_has_not(
    example: Reader, document: str, path: list[str | int], text: str
) -> None:
    kind = (
        "String!" if "fund" in document or "currency" in document or "type" in document else "ID!"
    )
    refusal = example.refusal(f"query ($t: {kind}) {document}", t=text)
    assert refusal == (UNSENDABLE, path)


@pytest.mark.parametrize("text", ["\0", "\ud800", "", "é" * 10_000, "'; --", "%(day)s", "{a}", "%"])
def test_texts_that_name_nothing(example: Reader, text: str) -> None:
    assert example.data("query ($t: ID!) { node(id: $t) { id } }", t=text) == {"node": None}
    if "\0" not in text and text != "\ud800":
        document = """query ($t: ID!) {
            record(kind: "state", id: $t) { key }
            ledger { states(filter: {key: [$t]}) { nodes { key } totalCount { possible } } }
        }"""
        nothing = {"nodes": [], "totalCount": {"possible": 0}}
        assert example.data(document, t=text) == {"record": None, "ledger": {"states": nothing}}


def test_an_unknown_kind(example: Reader) -> None:
    kinds = ", ".join(sorted(kind.name for kind in REGISTRY.kinds))
    for kind, shown in (("grant", "'grant'"), ("\0", "'\\x00'"), ("x" * 1_000, repr("x" * 60))):
        refusal = example.refusal("query ($k: String!) { record(kind: $k, id: 1) { key } }", k=kind)
        message = f"`kind`: {shown} is not a kind of record; kinds are {kinds}"
        assert refusal == (message, ["record"])


@pytest.mark.parametrize("named", ["grant/KAZ", "state/\0", "/", "state/", "states/KAZ"])
def test_an_id_of_no_record(example: Reader, named: str) -> None:
    given = encoded(named.encode())
    assert example.data("query ($id: ID!) { node(id: $id) { id } }", id=given) == {"node": None}


# ---------------------------------------------------------------- where an error stands


def test_the_others_are_answered(example: Reader) -> None:
    """Where a field may be null, its error is all that is missing."""
    answer = example.ask(
        """{
            good: record(kind: "state", id: "KAZ") { key }
            bad: record(kind: "grant", id: "KAZ") { key }
            entry(position: 1) { position }
        }"""
    )
    assert answer.data == {"good": {"key": "KAZ"}, "bad": None, "entry": {"position": "1"}}
    assert [error.path for error in answer.errors] == [["bad"]]


def test_an_error_deep_within_stands_where_it_was_made(example: Reader) -> None:
    answer = example.ask(
        """{
            record(kind: "state", id: "KAZ") {
                key history { nodes { record {
                    ... on State { history(first: -1) { totalCount } }
                } } }
            }
            other: record(kind: "state", id: "KAZ") { key }
        }"""
    )
    # Entry.record is the nearest that may be null.
    record = {"key": "KAZ", "history": {"nodes": [{"record": None}]}}
    assert answer.data == {"record": record, "other": {"key": "KAZ"}}
    (error,) = answer.errors
    assert error.message == f"`first` is -1; {SIZES}"
    assert error.path == ["record", "history", "nodes", 0, "record", "history"]


def test_an_error_in_what_must_not_be_null_takes_the_ledger_with_it(example: Reader) -> None:
    answer = example.ask(
        "{ ledger { states(first: -1) { nodes { key } } bodies { nodes { key } } } }"
    )
    assert answer.data is None
    assert [error.path for error in answer.errors] == [["ledger", "states"]]


def test_an_error_in_a_list_that_is_empty_is_none(example: Reader) -> None:
    document = ledger("states(first: 0) { nodes { history(first: -1) { totalCount } } }")
    assert example.data(document) == {"ledger": {"states": {"nodes": []}}}


LIMITS = {
    "depth": "{ ledger { states { nodes { "
    + "history { nodes { record { " * 8
    + "key"
    + " } } }" * 8
    + "} } } }",
    "aliases": "{ " + " ".join(f"a{number}: __typename" for number in range(201)) + " }",
    "tokens": "{ " + "__typename " * 5_001 + "}",
}


@pytest.mark.parametrize("limit", LIMITS)
def test_the_limits_of_a_document(example: Reader, limit: str) -> None:
    answer = example.ask(LIMITS[limit])
    assert (answer.data, answer.statements) == (None, 0)
    assert answer.errors
