"""What is answered of treaties, by the functions that the schema calls and by GraphQL."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from ledger.entry import Entry
from ledger.treaties import TREATY
from ledger.treaty_participants import TREATY_PARTICIPANT
from projections import entry_into_force as force
from projections.timeline import Known, Span
from projections.treaties import TREATIES
from projections.treaty_participants import TREATY_PARTICIPANTS, TreatyParticipant
from tests.properties.asking import AnyTable, known_at, rows_of
from tests.schema.reader import Reader

Pair = tuple[Any, Any]
Days = tuple[date | None, date, date | None]


class Found(NamedTuple):
    """What is answered of a treaty, by the functions or by GraphQL, in the same terms."""

    signatories: Pair
    required: int | None
    deposited: Pair
    remaining: Pair | None
    share: tuple[Decimal, Decimal, Decimal] | None
    in_force: Pair
    entry: Days | None
    parties: Pair
    if_next: date | None
    if_remaining: date | None
    listed: Mapping[tuple[str, int], Party]
    participants: Mapping[str, Line]


class Party(NamedTuple):
    """For whom a treaty may be in force, by which instrument."""

    instrument: str
    in_force: Pair
    since: Days
    until: Days | None


class Line(NamedTuple):
    """A participant as shown."""

    in_force: Pair
    since: Days | None
    until: Days | None
    by_rule: Days | None


class Register:
    """What was recorded, record by record."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.records: dict[tuple[str, str], list[Entry]] = {}
        for entry in entries:
            self.records.setdefault((entry.kind, entry.key), []).append(entry)
        self.last = sum(map(len, self.records.values()))
        self._rows: dict[tuple[str, str], list[Known[Any]]] = {}

    def opened(self, name: str) -> int:
        """The position at which a treaty was opened."""
        return self.records[TREATY.name, name][0].position

    def participants(self, name: str) -> list[str]:
        """The keys of the participants in a treaty, in order."""
        kind_name = TREATY_PARTICIPANT.name
        return sorted(
            key for kind, key in self.records if kind == kind_name and key.startswith(f"{name}-")
        )

    def known(self, table: AnyTable, key: str, position: int) -> list[Span[Any]]:
        """The rows of a record as the ledger knew them at a position."""
        record = table.kind.name, key
        if record not in self._rows:
            self._rows[record] = rows_of(table, self.records[record])
        return known_at(self._rows[record], position)


# ---------------------------------------------------------------- by the functions


def known_of(register: Register, name: str, position: int) -> str:
    """What the database is to give as all that was known of a treaty, made of the folded rows."""
    treaty = register.known(TREATIES, name, position)[-1].row
    rule = [
        treaty.instruments_required,
        treaty.instrument_kinds,
        treaty.organizations_counted,
        _text(treaty.share_required),
        treaty.offset,
        treaty.party_offset,
        treaty.denunciation_offset,
    ]
    last = {
        (key, span.row.instrument_number): span.row
        for key in register.participants(name)
        for span in register.known(TREATY_PARTICIPANTS, key, position)
    }
    return json.dumps([rule, [_known(key, row) for (key, _), row in sorted(last.items())] or None])


def _known(key: str, row: TreatyParticipant) -> list[Any]:
    days = [
        *(row.signed_earliest, row.signed_latest, row.deposited_earliest, row.deposited_latest),
        *(row.effect_earliest, row.effect_latest, row.left_earliest, row.left_latest),
        *(row.leaving_earliest, row.leaving_latest),
        *(row.before_left_earliest, row.before_left_latest),
        *(row.before_leaving_earliest, row.before_leaving_latest),
    ]
    return [
        *(key, row.instrument_number, row.status, row.organization is not None),
        *(row.instrument, _text(row.share), *map(_text, days)),
    ]


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def found_by_functions(register: Register, name: str, day: date, position: int) -> Found:
    """What the functions answer that the schema calls."""
    known = known_of(register, name, position)
    facts = force.facts_of(known)
    shown = {
        key: span.row.instrument_number
        for key in register.participants(name)
        for span in register.known(TREATY_PARTICIPANTS, key, position)
        if span.since <= day and (span.until is None or day < span.until)
    }
    has_share = facts.rule is not None and facts.rule.share is not None
    return Found(
        signatories=force.signatories(facts, day),
        required=None if facts.rule is None else facts.rule.required,
        deposited=force.deposited(facts, day),
        remaining=force.remaining(facts, day),
        share=force.share_deposited(facts, day) if has_share else None,
        in_force=force.in_force_on(facts, day),
        entry=force.entry(facts, day),
        parties=force.parties(facts, day),
        if_next=force.if_deposited(facts, day, all_remaining=False),
        if_remaining=force.if_deposited(facts, day, all_remaining=True),
        listed={
            (key, number): Party(
                one.instrument.name,
                force.is_party(facts, one, day),
                since,
                force.party_until(facts, one),
            )
            for key, held in facts.held.items()
            for number, one in held.items()
            for since in (force.party_since(facts, one),)
            if since is not None and force.is_party(facts, one, day)[1]
        },
        participants={key: _line_found(facts, key, number, day) for key, number in shown.items()},
    )


def _line_found(facts: force.Facts, key: str, number: int, day: date) -> Line:
    in_force = force.in_force_for(facts, key, day)
    held = facts.held.get(key, {}).get(number)
    if held is None:
        return Line(in_force, None, None, None)
    return Line(
        in_force,
        force.party_since(facts, held),
        force.party_until(facts, held),
        force.party_since_by_rule(facts, held),
    )


# ---------------------------------------------------------------- by GraphQL

DAYS = "{ day earliest latest }"
BOTH = "{ certain possible }"
ASKED = f"""treaties(first: 10) {{ nodes {{
    key
    status {{
        signatories {BOTH} required deposited {BOTH} remaining {BOTH}
        shareDeposited {{ value low high }} inForce {BOTH} entryIntoForce {DAYS} parties {BOTH}
        ifNextDeposited ifRemainingDeposited
    }}
    parties {{ key instrument inForce {BOTH} since {DAYS} until {DAYS} }}
    participants(first: 10) {{ nodes {{
        key inForce {BOTH} inForceSince {DAYS} inForceUntil {DAYS} effectByRule {DAYS}
    }} }}
}} }}"""


def found_by_graphql(reader: Reader, day: date, position: int) -> dict[str, Any]:
    """What GraphQL answers, all treaties asked for at once."""
    as_of = {"effectiveOn": day.isoformat(), "position": str(position)}
    nodes = reader.ledger(ASKED, **as_of)["treaties"]["nodes"]
    return {node["key"]: _read(node) for node in nodes}


def _read(node: Any) -> dict[str, Any]:
    status = node["status"]
    share = status["shareDeposited"]
    lines = node["participants"]["nodes"]
    return {
        "signatories": _pair(status["signatories"]),
        "required": status["required"],
        "deposited": _pair(status["deposited"]),
        "remaining": _pair(status["remaining"]),
        "share": share and tuple(Decimal(share[part]) for part in ("value", "low", "high")),
        "in_force": _pair(status["inForce"]),
        "entry": _days(status["entryIntoForce"]),
        "parties": _pair(status["parties"]),
        "if_next": _day(status["ifNextDeposited"]),
        "if_remaining": _day(status["ifRemainingDeposited"]),
        "listed": [
            (
                party["key"],
                Party(
                    party["instrument"],
                    _pair(party["inForce"]),
                    _days(party["since"]),
                    _days(party["until"]),
                ),
            )
            for party in node["parties"]
        ],
        "participants": {
            line["key"]: Line(
                _pair(line["inForce"]),
                _days(line["inForceSince"]),
                _days(line["inForceUntil"]),
                _days(line["effectByRule"]),
            )
            for line in lines
        },
    }


def _pair(answer: Any) -> Any:
    return answer and (answer["certain"], answer["possible"])


def _days(answer: Any) -> Any:
    return answer and tuple(_day(answer[part]) for part in ("day", "earliest", "latest"))


def _day(answer: str | None) -> date | None:
    return None if answer is None else date.fromisoformat(answer)
