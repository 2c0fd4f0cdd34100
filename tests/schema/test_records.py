"""Records with their histories, entries with what became of them, and the ids of both."""

from __future__ import annotations

from typing import Any

import pytest

from projections import REGISTRY
from tests.schema.reader import Reader

ONE_RECORD = """query ($kind: String!, $key: ID!) {
    record(kind: $kind, id: $key) {
        __typename id kind key version
        history(first: 1000) { totalCount nodes { kind key version } }
    }
}"""


@pytest.mark.parametrize("kind", [kind.name for kind in REGISTRY.kinds])
def test_a_record_of_every_kind(corrected: Reader, kind: str) -> None:
    entries = corrected.data(
        "query ($kind: [String!]) { entries(filter: {kind: $kind}, first: 1000) {"
        " nodes { key version record { id __typename } } } }",
        kind=kind,
    )["entries"]["nodes"]
    existing = {entry["key"] for entry in entries if entry["record"] is not None}
    assert existing, f"the register has no {kind}"
    for key in existing:
        record = corrected.data(ONE_RECORD, kind=kind, key=key)["record"]
        versions = [entry["version"] for entry in entries if entry["key"] == key]
        history = [{"kind": kind, "key": key, "version": version} for version in versions]
        assert record["__typename"].lower() == kind.replace("_", "")
        assert (record["kind"], record["key"]) == (kind, key)
        assert record["version"] == versions[-1]
        assert record["history"] == {"totalCount": str(len(history)), "nodes": history}
        (found,) = {entry["record"]["id"] for entry in entries if entry["key"] == key}
        assert record["id"] == found
        node = corrected.data("query ($id: ID!) { node(id: $id) { id __typename } }", id=found)
        assert node["node"] == {"id": found, "__typename": record["__typename"]}


def test_a_record_that_is_not_there(corrected: Reader) -> None:
    assert corrected.data(ONE_RECORD, kind="state", key="ZZZ") == {"record": None}
    document = """{
        before: record(kind: "body", id: "SEC", asOf: {effectiveOn: "2006-06-16"}) { key }
        after: record(kind: "body", id: "SEC", asOf: {effectiveOn: "2006-06-17"}) { key }
        unknown: record(kind: "body", id: "SEC", asOf: {position: 3}) { key }
        annulled: record(kind: "contribution", id: "C-ANNULLED") { key }
    }"""
    # It was established some day in 2006, and by 17 June, when it began to operate.
    nothing = dict.fromkeys(("before", "unknown", "annulled"))
    assert corrected.data(document) == nothing | {"after": {"key": "SEC"}}


def test_the_history_of_a_correction(corrected: Reader) -> None:
    """What an annulment takes back shows in the history, each entry by what became of it."""
    (_, change, annulment) = corrected.data(
        """{ record(kind: "state", id: "EGY") { ... on State { status } history { nodes {
            position id type version isLive effective { edtf earliest latest words text }
            corrects { position } annuls { position type } correctedBy { position type isLive }
            changes { field before after } body reason recordedBy record { ... on State { status } }
        } } } }"""
    )["record"]["history"]["nodes"]
    changed, annulled = change.pop("id"), annulment.pop("id")
    assert changed != annulled
    assert change == {
        "position": "2",
        "type": "state.status_changed",
        "version": "2",
        "isLive": False,
        "effective": {
            "edtf": "2002",
            "earliest": "2002-01-01",
            "latest": "2002-12-31",
            "words": "2002",
            "text": None,
        },
        "corrects": None,
        "annuls": None,
        "correctedBy": [{"position": "3", "type": "entry.annulled", "isLive": True}],
        "changes": [
            {"field": "status", "before": "observer", "after": "member"},
            {"field": "statusSince", "before": "[1999..2002]", "after": "2002"},
        ],
        "body": {"status": "member"},
        "reason": None,
        "recordedBy": "registrar",
        "record": {"status": "OBSERVER"},
    }
    assert annulment == {
        "position": "3",
        "type": "entry.annulled",
        "version": "3",
        "isLive": True,
        "effective": None,
        "corrects": None,
        "annuls": {"position": "2", "type": "state.status_changed"},
        "correctedBy": [],
        "changes": [
            {"field": "status", "before": "member", "after": "observer"},
            {"field": "statusSince", "before": "2002", "after": "[1999..2002]"},
        ],
        "body": None,
        "reason": None,
        "recordedBy": "registrar",
        "record": {"status": "OBSERVER"},
    }


def test_the_history_as_known_before_the_annulment(corrected: Reader) -> None:
    found = corrected.data(
        """{ record(kind: "state", id: "EGY", asOf: {position: "2"}) { version
            ... on State { status statusSince { edtf } }
            history { totalCount nodes {
                position isLive correctedBy { position } record { version }
            } }
        } }"""
    )["record"]
    common = {"isLive": True, "correctedBy": [], "record": {"version": "2"}}
    assert found == {
        "version": "2",
        "status": "MEMBER",
        "statusSince": {"edtf": "2002"},
        "history": {
            "totalCount": "2",
            "nodes": [{"position": "1", **common}, {"position": "2", **common}],
        },
    }


EVERY_ENTRY = """{ entries(first: 1000) { nodes {
    position id isLive corrects { position } annuls { position } correctedBy { position }
} } }"""


def test_what_is_live(corrected: Reader) -> None:
    """Held against the naive reading: what stands corrects or annuls it, or nothing does."""
    nodes = {node["position"]: node for node in corrected.data(EVERY_ENTRY)["entries"]["nodes"]}
    correcting, annulling = (
        {position: node[by]["position"] for position, node in nodes.items() if node[by]}
        for by in ("corrects", "annuls")
    )
    assert any(target in correcting for target in correcting.values()), "none was corrected twice"
    assert any(target in annulling for target in annulling.values()), "no annulment was annulled"

    def stands(position: str) -> bool:
        return not any(stands(by) for by, target in annulling.items() if target == position)

    for position, node in nodes.items():
        aimed_at_it = [by for by, target in (correcting | annulling).items() if target == position]
        assert node["correctedBy"] == [{"position": by} for by in sorted(aimed_at_it, key=int)]
        replaced = any(stands(by) for by, target in correcting.items() if target == position)
        assert node["isLive"] == (stands(position) and not replaced), position


def test_an_entry_by_its_position_and_by_its_id(corrected: Reader) -> None:
    nodes = corrected.data("{ entries(last: 3) { nodes { position id type } } }")["entries"][
        "nodes"
    ]
    document = """query ($position: BigInt!, $id: ID!) {
        entry(position: $position) { position id type }
        node(id: $id) { id ... on Entry { position type } ... on Record { version } }
    }"""
    for node in nodes:
        found = corrected.data(document, position=node["position"], id=node["id"])
        assert found == {"entry": node, "node": node}
    nobody = "00000000-0000-4000-8000-000000000000"
    assert corrected.data(document, position="999999999999", id=nobody) == {
        "entry": None,
        "node": None,
    }


def test_entries_by_filter(corrected: Reader) -> None:
    document = """query ($filter: EntryFilter) {
        entries(filter: $filter, first: 1000) {
            totalCount nodes { position kind key type recordedBy }
        }
    }"""
    everything = corrected.data(document)["entries"]["nodes"]
    filters: list[tuple[dict[str, Any], Any]] = [
        ({"kind": ["state", "body"]}, lambda node: node["kind"] in {"state", "body"}),
        ({"key": ["SEC"]}, lambda node: node["key"] == "SEC"),
        ({"type": ["entry.annulled"]}, lambda node: node["type"] == "entry.annulled"),
        ({"recordedBy": ["nobody"]}, lambda node: False),
        ({"afterPosition": 20}, lambda node: int(node["position"]) > 20),
        ({"kind": [], "key": None}, lambda node: False),
        (
            {"kind": "contribution", "afterPosition": "40", "type": "contribution.returned"},
            lambda node: node["type"] == "contribution.returned" and int(node["position"]) > 40,
        ),
    ]
    for given, holds in filters:
        expected = [node for node in everything if holds(node)]
        found = corrected.data(document, filter=given)["entries"]
        assert found == {"totalCount": str(len(expected)), "nodes": expected}, given
