"""Whether a proposal may be recorded: pure, given what the lock holder has read.

A `Batch` is the ledger's end as the lock holder sees it, with the histories that proposals need.
Proposals are admitted one after another into a `Draft`; a set of proposals that is refused leaves
its draft behind, and nothing of it is anywhere.
"""

from __future__ import annotations

import secrets
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from ledger.codec import EntryMapper, seal
from ledger.dates import HomeZone, format_moment
from ledger.entry import Entry, Proposal, record_id
from ledger.form import check_form
from ledger.kind import ANNULLED, Kind, Reference, references_of
from ledger.refusal import (
    AlreadyExists,
    Impossible,
    KeyReused,
    Malformed,
    NotFound,
    NotPermitted,
    Refused,
    VersionConflict,
)
from ledger.store import Head, new_id
from ledger.timeline import Growth, Step, dated, extended, live_positions, steps

RecordName = tuple[str, str]
"""A record's kind and key."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An acknowledged entry; `repeated` if an earlier request had recorded it."""

    entry: Entry
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class History:
    """A record's entries in position order, the steps they make, and the state after those.

    `growth` is what each entry that was taken in by this transaction did to the steps.
    """

    kind: Kind
    key: str
    entries: tuple[Entry, ...] = ()
    steps: Sequence[Step] = ()
    state: Any = None
    growth: tuple[Growth, ...] = ()

    @classmethod
    def of(cls, kind: Kind, key: str, entries: Sequence[Entry], zone: HomeZone) -> History:
        """The history that `entries` are."""
        happened = steps(entries, zone)
        state: Any = None
        for step in happened:
            state = step.event.apply_to(state)
        return cls(kind, key, tuple(entries), happened, state)

    @property
    def is_open(self) -> bool:
        """Whether the record exists: something of it is live."""
        return bool(self.steps)

    @property
    def version(self) -> int:
        """The version of the newest entry; 0 if there is none."""
        return self.entries[-1].version if self.entries else 0

    def references(self) -> set[Reference]:
        """What the live entries refer to."""
        return {reference for step in self.steps for reference in references_of(step.event)}


@dataclass(slots=True)
class Batch:
    """What is known under the lock.

    `answered` holds, per owner and idempotency key, the position and the digest of the first
    answer. `is_open` says of records without a history here whether they exist. `find_referring`
    gives the records that refer to one, from the database.
    """

    head: Head
    zone: HomeZone
    mapper: EntryMapper
    histories: dict[RecordName, History]
    is_open: Mapping[RecordName, bool]
    person_keys: dict[UUID, bytes]
    answered: dict[tuple[str, str], tuple[int, bytes]]
    find_referring: Callable[[str, str], Sequence[RecordName]]
    entries: list[Entry] = field(default_factory=list)


@dataclass(slots=True)
class Draft:
    """A set of proposals on its way in: what it adds to its batch, so far."""

    batch: Batch
    entries: list[Entry] = field(default_factory=list)
    histories: dict[RecordName, History] = field(default_factory=dict)
    answered: dict[tuple[str, str], tuple[int, bytes]] = field(default_factory=dict)
    labels: dict[str, int] = field(default_factory=dict)
    recorded_at: datetime | None = None
    live_from: int | None = None

    @classmethod
    def of(cls, batch: Batch, labels: dict[str, int] | None = None) -> Draft:
        """An empty draft at the batch's present end.

        `labels` are those that the set has used before this draft, which adds its own to them,
        each with the position of its entry.
        """
        labels = {} if labels is None else labels
        head = batch.head
        return cls(batch, labels=labels, recorded_at=head.recorded_at, live_from=head.live_from)

    def admit(self, proposal: Proposal, data: bytes, content: bytes) -> Answer:
        """Take `proposal` in, with its stored bytes and its digest, or raise `Refused`."""
        if proposal.label in self.labels:
            raise Malformed(
                f"{proposal.label!r} is the label of another proposal of this set", field="label"
            )
        history = self._history(proposal)
        first = self._first_answer(proposal, history, content)
        if first is not None:
            if proposal.label is not None:
                self.labels[proposal.label] = first.entry.position
            return first
        _check_version(history, proposal.expected_version)
        _check_not_begun(history, proposal)
        self._check_references(proposal)
        entry = self._entry(proposal, history, data)
        self._check_accomplished(history, entry)
        self.histories[proposal.kind, proposal.key] = self._after(history, entry)
        self._keep(proposal, entry, content)
        return Answer(entry)

    def merge(self) -> None:
        """Make the whole draft part of its batch."""
        batch = self.batch
        batch.entries += self.entries
        batch.histories.update(self.histories)
        batch.answered.update(self.answered)
        position = batch.head.position + len(self.entries)
        batch.head = Head(position, self.recorded_at, self.live_from, batch.head.now)

    def history_of(self, name: RecordName) -> History | None:
        """The history of a record as this draft leaves it, if it was read."""
        return self.histories.get(name) or self.batch.histories.get(name)

    def _first_answer(self, proposal: Proposal, history: History, content: bytes) -> Answer | None:
        """What the key of `proposal` was answered with before, if it has one and was used."""
        name = proposal.key_name
        if name is None:
            return None
        first = self.answered.get(name) or self.batch.answered.get(name)
        if first is None:
            return None
        position, first_content = first
        if first_content != content:
            raise KeyReused(
                f"idempotency key {name[1]!r} was used for entry {position}, with other content; "
                "to change that entry, record a correction of it",
                field="idempotency_key",
            )
        # Equal content is about the same record.
        place = bisect_left(history.entries, position, key=lambda entry: entry.position)
        return Answer(history.entries[place], repeated=True)

    def _history(self, proposal: Proposal) -> History:
        history = self.history_of((proposal.kind, proposal.key))
        assert history is not None, "the batch reads the history of every record proposed"
        return history

    def _check_references(self, proposal: Proposal) -> None:
        event = proposal.statement.event
        for reference in () if event is None else references_of(event):
            if not self._is_open(reference):
                raise NotFound(
                    f"{reference.kind} {reference.key!r} is not on record", field=reference.field
                )

    def _is_open(self, reference: Reference) -> bool:
        name = (reference.kind, reference.key)
        history = self.history_of(name)
        return self.batch.is_open.get(name, False) if history is None else history.is_open

    def _entry(self, proposal: Proposal, history: History, data: bytes) -> Entry:
        event = proposal.statement.event
        corrects, annuls = self._targets(proposal, history)
        recorded_at = self._moment(proposal.recorded_on)
        return seal(
            {
                "position": self.batch.head.position + len(self.entries) + 1,
                "id": new_id(),
                "family": history.kind.family,
                "kind": history.kind.name,
                "key": history.key,
                "version": history.version + 1,
                "name": ANNULLED if event is None else event.stored_as,
                "corrects": corrects,
                "annuls": annuls,
                "recorded_at": recorded_at,
                "appended_at": self.batch.head.now,
            },
            self.batch.zone.name,
            proposal.statement,
            data,
        )

    def _check_accomplished(self, history: History, entry: Entry) -> None:
        """What can only be on record once it has happened is not dated later than that."""
        stated = entry.statement.effective
        if entry.event is None or not entry.event.accomplished:
            return
        zone = self.batch.zone
        if entry.corrects is not None:
            # It may have its date from what it corrects.
            own = dated((*history.entries, entry), zone)[entry.position]
            stated, earliest = own.effective, own.earliest
        else:
            assert stated is not None, "only a correction or an annulment leaves the date out"
            earliest = stated.earliest
        day = zone.day_of(entry.recorded_at)
        if earliest > day:
            raise NotPermitted(
                f"{stated.text!r} is later than {day}, the day on which it is recorded: what has"
                f" not happened yet is no {entry.name}; record it when it has",
                field="effective",
            )

    def _targets(self, proposal: Proposal, history: History) -> tuple[int | None, int | None]:
        if proposal.corrects is not None:
            target = self._target(proposal.corrects, history, "corrects")
            event, corrected = proposal.statement.event, target.event
            if corrected is None:
                raise NotPermitted("an annulment is not corrected but annulled", field="corrects")
            if event is not None and event.is_opening != corrected.is_opening:
                raise NotPermitted(
                    "an opening is corrected by an opening, a change by a change;"
                    f" entry {target.position} is {target.name}",
                    field="corrects",
                )
            return target.position, None
        if proposal.annuls is not None:
            return None, self._target(proposal.annuls, history, "annuls").position
        return None, None

    def _target(self, name: str, history: History, column: str) -> Entry:
        """The live entry of the same record that `name` means."""
        labelled = self.labels.get(name)
        target = next(
            (
                entry
                for entry in history.entries
                if labelled == entry.position or (labelled is None and name in _names_of(entry))
            ),
            None,
        )
        if target is None:
            raise NotFound(
                f"{name!r} is not an entry of {history.kind.name} {history.key!r}; name it by its"
                " id, by kind/key/version, or by its label in the same import",
                field=column,
            )
        if target.position not in live_positions(history.entries):
            raise NotPermitted(
                f"entry {target.position} is not live: a later entry corrected or annulled it;"
                " name that one",
                field=column,
            )
        return target

    def _moment(self, stated: datetime | None) -> datetime:
        """When the entry is recorded: now, or as stated by an older register's import."""
        now, last = self.batch.head.now, self.recorded_at
        if stated is None:
            return now if last is None else max(now, last)
        if self.live_from is not None:
            raise NotPermitted(
                f"the ledger has been live since entry {self.live_from}, so no other day of"
                " recording may be stated; import with --late to keep it in the data",
                field="recorded_on",
            )
        if stated > now:
            raise NotPermitted(f"{format_moment(stated)} lies in the future", field="recorded_on")
        if last is not None and stated < last:
            raise NotPermitted(
                f"{format_moment(stated)} lies before the ledger's last entry"
                f" ({format_moment(last)})",
                field="recorded_on",
            )
        return stated

    def _after(self, history: History, entry: Entry) -> History:
        """The record's history with `entry`, its whole timeline replayed."""
        entries = (*history.entries, entry)
        happened, kept = extended(history.steps, entries, self.batch.zone)
        state = _replay(history, happened, kept, entry)
        growth = (*history.growth, Growth(entry, kept, happened[kept:]))
        after = History(history.kind, history.key, entries, happened, state, growth)
        if entry.annuls is not None:
            self._check_brought_back(history, after)
        if history.is_open and not after.is_open:
            self._check_not_referred_to(history)
        return after

    def _check_brought_back(self, history: History, after: History) -> None:
        """What an annulment brings back finds its place and what it refers to as it left them."""
        before = {step.entry.position for step in history.steps}
        for step in after.steps:
            if step.entry.position in before:
                continue
            would = f"entry {step.entry.position} ({step.entry.name}) would come back"
            for other in after.steps:
                if other.root == step.root and other is not step:
                    raise Impossible(
                        f"{would} beside entry {other.entry.position}, which has taken its place;"
                        " annul that one first"
                    )
            for reference in references_of(step.event):
                if not self._is_open(reference):
                    raise Impossible(
                        f"{would}, but {reference.kind} {reference.key!r}, to which it refers, is"
                        " not on record any more"
                    )

    def _check_not_referred_to(self, history: History) -> None:
        name = (history.kind.name, history.key)
        known = {**self.batch.histories, **self.histories}
        referring = [
            other
            for other, theirs in known.items()
            if other != name and any((r.kind, r.key) == name for r in theirs.references())
        ]
        referring += [other for other in self.batch.find_referring(*name) if other not in known]
        if referring:
            kind, key = min(referring)
            others = len(referring) - 1
            who = (
                f"{kind} {key!r} refers"
                if not others
                else f"{kind} {key!r} and {others} more refer"
            )
            raise Impossible(f"{who} to {name[0]} {name[1]!r}; annul what refers to it first")

    def _keep(self, proposal: Proposal, entry: Entry, content: bytes) -> None:
        self.entries.append(entry)
        self.recorded_at = entry.recorded_at
        if proposal.recorded_on is None and self.live_from is None:
            self.live_from = entry.position
        if proposal.label is not None:
            self.labels[proposal.label] = entry.position
        if proposal.key_name is not None:
            self.answered[proposal.key_name] = (entry.position, content)


def _names_of(entry: Entry) -> tuple[str, str]:
    """By what an entry is named: its id, and kind/key/version."""
    return str(entry.id), f"{entry.kind}/{entry.key}/{entry.version}"


def _check_version(history: History, expected: int | None) -> None:
    if expected is not None and expected != history.version:
        raise VersionConflict(
            f"{history.kind.name} {history.key!r} has version {history.version}, not {expected};"
            " read it again before you change it",
            field="expected_version",
        )


def _check_not_begun(history: History, proposal: Proposal) -> None:
    """Refuse a second opening by that name, whatever its date.

    The replay would refuse it too; but before the first one, it would be the first that became
    impossible.
    """
    event = proposal.statement.event
    begins = event is not None and event.is_opening and proposal.corrects is None
    if begins and any(step.event.is_opening for step in history.steps):
        raise AlreadyExists(
            f"{history.kind.name} {history.key!r} is on record already; correct its opening instead"
        )


def _replay(before: History, after: Sequence[Step], kept: int, added: Entry) -> Any:
    """Admit each step again from the first on that changed, and return the state at the end.

    `kept` steps of the history `before` begin `after`. A later step must stay possible.
    """
    whole = kept == len(before.steps)
    state = before.state if whole else None
    for index, step in enumerate(after[kept:] if whole else after, kept if whole else 0):
        if index >= kept:
            try:
                step.event.admit_to(state)
            except Refused as refusal:
                if step.entry is added:
                    raise
                raise Impossible(
                    f"entry {step.entry.position} ({step.entry.name}, {step.effective.text}) would"
                    f" become impossible: {refusal.message}"
                ) from None
        state = step.event.apply_to(state)
    return state


@dataclass(frozen=True, slots=True)
class Prepared:
    """A proposal with its stored bytes and digest; both None until its person's key is known."""

    proposal: Proposal
    data: bytes | None
    content: bytes | None

    @classmethod
    def of(cls, proposal: Proposal, kind: Kind, mapper: EntryMapper) -> Prepared:
        """Check the proposal's form and encode it, outside the lock where that is possible."""
        check_form(proposal, kind)
        event = proposal.statement.event
        if event is not None and event.personal:
            return cls(proposal, None, None)
        return cls(proposal, *_encoded(proposal, None, mapper))

    def encoded(self, person_key: bytes | None, mapper: EntryMapper) -> tuple[bytes, bytes]:
        """The stored bytes and the digest."""
        if self.data is not None and self.content is not None:
            return self.data, self.content
        return _encoded(self.proposal, person_key, mapper)

    def person_key(self, batch: Batch) -> bytes | None:
        """The key of the person whom there is text about, made with the person's first entry."""
        if self.data is not None:
            return None
        history = batch.histories[self.proposal.kind, self.proposal.key]
        if self.record_id not in batch.person_keys and not history.entries:
            batch.person_keys[self.record_id] = secrets.token_bytes(32)
        return batch.person_keys.get(self.record_id)

    @property
    def record_id(self) -> UUID:
        """The id of the record that the proposal is about."""
        return record_id(self.proposal.kind, self.proposal.key)

    def names(self) -> Iterator[RecordName]:
        """The records that the proposal refers to."""
        return names_of(self.proposal)


def names_of(proposal: Proposal) -> Iterator[RecordName]:
    """The records that a proposal refers to."""
    event = proposal.statement.event
    if event is not None:
        yield from ((r.kind, r.key) for r in references_of(event))


def _encoded(
    proposal: Proposal, person_key: bytes | None, mapper: EntryMapper
) -> tuple[bytes, bytes]:
    record = record_id(proposal.kind, proposal.key)
    return mapper.encode_proposed(record, proposal, person_key)
