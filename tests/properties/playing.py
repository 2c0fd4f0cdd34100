"""Plans of what is proposed about records, played through the rules without a database.

A *plan* is a list of *moves*, and begins with its foundations: the records that others refer to.
What is recorded is told as the facts that the oracle takes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from ledger.admission import Batch, Draft, History, Prepared
from ledger.codec import EntryMapper
from ledger.dates import HomeZone, parse_edtf
from ledger.entry import Entry, Proposal, Statement
from ledger.kind import AnyEvent, Field, Kind, fields_of
from ledger.refusal import Refused
from ledger.store import Head
from projections import REGISTRY
from tests.properties.naive import Fact
from tests.properties.records import founded_keys, plain_event

ZONE = HomeZone("Asia/Almaty")
BEGIN = datetime(2022, 12, 1, 2, tzinfo=UTC)
NOW = datetime(2025, 1, 1, tzinfo=UTC)
MAPPER = EntryMapper(REGISTRY)


@dataclass(frozen=True, kw_only=True)
class Move:
    """Something that is proposed about a record, and recorded at `moment` if it is admitted.

    It corrects, or without an event annuls, what move number `aim` of the same plan recorded.
    """

    kind: str
    key: str
    event: AnyEvent | None
    effective: str | None
    aim: int | None = None
    moment: datetime = BEGIN


Plan = list[Move]


# ---------------------------------------------------------------- foundations


def referred_to(kinds: Iterable[Kind]) -> list[Kind]:
    """The kinds that `kinds` refer to, and those that these do, what is referred to first."""
    found = {field.refers_to for kind in kinds for field in _fields(kind)}
    reached: list[Kind] = []
    while len(reached) < len(found - {None}):
        reached = [kind for kind in REGISTRY.kinds if kind.name in found]
        found |= {field.refers_to for kind in reached for field in _fields(kind)}
    return reached


def _fields(kind: Kind) -> Iterator[Field]:
    for event_class in kind.events:
        yield from fields_of(event_class)


def foundations(kinds: Iterable[Kind]) -> Plan:
    """The moves that open every record that records of `kinds` may refer to."""
    return [
        Move(kind=kind.name, key=key, event=plain_event(kind, key), effective="2001")
        for kind in referred_to(kinds)
        for key in founded_keys(kind)
    ]


# ---------------------------------------------------------------- playing


def _empty_batch() -> Batch:
    return Batch(
        head=Head(position=0, recorded_at=None, live_from=None, now=NOW),
        zone=ZONE,
        mapper=MAPPER,
        histories={},
        is_open={},
        person_keys={},
        answered={},
        find_referring=lambda kind, key: (),
    )


@dataclass
class Played:
    """A ledger in memory: the moves proposed, what each became, and why some were refused."""

    plan: Plan = field(default_factory=list)
    recorded: list[Entry | None] = field(default_factory=list, repr=False)
    refused: list[Refused] = field(default_factory=list, repr=False)
    batch: Batch = field(default_factory=_empty_batch, repr=False)

    @classmethod
    def of(cls, plan: Plan) -> Played:
        """A ledger in which `plan` was proposed, move by move."""
        played = cls()
        for move in plan:
            played.play(move)
        return played

    @property
    def entries(self) -> list[Entry]:
        """Everything recorded so far, in position order."""
        return self.batch.entries

    def record(self, kind: Kind, key: str) -> list[Entry]:
        """The entries of one record, in position order."""
        return [entry for entry in self.entries if (entry.kind, entry.key) == (kind.name, key)]

    def state(
        self, kind: Kind, key: str, *, before: int | None = None, on: date | None = None
    ) -> Any:
        """The state of a record: in the end, `before` the entry at a position, or `on` a day."""
        state: Any = None
        history = self.batch.histories.get((kind.name, key))
        for step in () if history is None else history.steps:
            if step.entry.position == before or (on is not None and step.latest > on):
                break
            state = step.event.apply_to(state)
        return state

    def last_date(self, kind: Kind, key: str) -> str | None:
        """When it happened what happened last to a record, as stated."""
        history = self.batch.histories.get((kind.name, key))
        return history.steps[-1].effective.text if history and history.steps else None

    def play(self, move: Move) -> Entry | None:
        """Propose the next move of the plan; None if it was refused."""
        entry = self._propose(proposal(move, self.recorded))
        self.plan.append(move)
        self.recorded.append(entry)
        return entry

    def _propose(self, proposed: Proposal) -> Entry | None:
        kind = REGISTRY.kind(proposed.kind)
        name = (proposed.kind, proposed.key)
        self.batch.histories.setdefault(name, History(kind, proposed.key, (), ()))
        draft = Draft.of(self.batch)
        try:
            prepared = Prepared.of(proposed, kind, MAPPER)
            data, content = prepared.encoded(bytes(32), MAPPER)
            answer = draft.admit(proposed, data, content)
        except Refused as refused:
            self.refused.append(refused)
            return None
        draft.merge()
        return answer.entry


def proposal(move: Move, recorded: Sequence[Entry | None]) -> Proposal:
    """What `move` proposes, `recorded` being what the moves before it became."""
    target = None
    if move.aim is not None:
        aimed = recorded[move.aim]
        target = "what was refused" if aimed is None else str(aimed.id)
    return Proposal(
        kind=move.kind,
        key=move.key,
        statement=Statement(
            event=move.event,
            effective=None if move.effective is None else parse_edtf(move.effective),
            recorded_by="tester",
        ),
        corrects=None if move.event is None else target,
        annuls=target if move.event is None else None,
        recorded_on=move.moment,
    )


def proposed_fact(move: Move, recorded: Sequence[Entry | None], position: int) -> Fact | None:
    """What `move` would be recorded as; None if what it aims at was refused."""
    aimed = None if move.aim is None else recorded[move.aim]
    if move.aim is not None and aimed is None:
        return None
    target = None if aimed is None else aimed.position
    return Fact(
        position=position,
        recorded_day=ZONE.day_of(move.moment),
        effective=move.effective,
        event=move.event,
        corrects=None if move.event is None else target,
        annuls=target if move.event is None else None,
    )


def fact(entry: Entry) -> Fact:
    """The entry as the oracle takes it."""
    effective = entry.statement.effective
    return Fact(
        position=entry.position,
        recorded_day=ZONE.day_of(entry.recorded_at),
        effective=None if effective is None else effective.text,
        event=entry.event,
        corrects=entry.corrects,
        annuls=entry.annuls,
    )
