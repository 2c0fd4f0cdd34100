"""The timeline of one record: what is live, in what order it happened, how precisely it is known.

This is section 2 of the design, and nothing else. A record's entries as known at some position go
in; out come its steps, in the order in which they happened. Step k holds on the days from its
`latest` to the next step's; it may hold from its `possible_from` on. All of it is pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import NamedTuple

from ledger.dates import Edtf, HomeZone, accomplished
from ledger.entry import Entry
from ledger.kind import AnyEvent


class Step(NamedTuple):
    """A live entry in its place: `earliest` and `latest` are the days between which it happened.

    `effective` is the date as stated, by the entry itself or by what it corrects. `root` is the
    position of the first entry of its chain of corrections. `possible_from` is the greatest
    earliest day of the steps up to and including this one.
    """

    entry: Entry
    event: AnyEvent
    effective: Edtf
    root: int
    earliest: date
    latest: date
    possible_from: date = date.min


class Growth(NamedTuple):
    """What an entry does to the steps of its record: the first `kept` stay, then come `tail`."""

    entry: Entry
    kept: int
    tail: Sequence[Step]


class RecordChange(NamedTuple):
    """What a transaction adds to one record: `before` are its steps until then."""

    kind: str
    key: str
    before: Sequence[Step]
    growth: Sequence[Growth]


def live_positions(entries: Sequence[Entry]) -> set[int]:
    """The positions of the live entries of a record, given all of them in position order."""
    if all(entry.target is None for entry in entries):
        return {entry.position for entry in entries}
    return live_among([(entry.position, entry.corrects, entry.annuls) for entry in entries])


def live_among(links: Sequence[tuple[int, int | None, int | None]]) -> set[int]:
    """The positions of the entries that were neither replaced nor annulled.

    Each of `links`, in position order, is an entry's position with those of the entry that it
    corrects and of the one that it annuls. A correction that was corrected in its turn goes on
    replacing what it corrects: nothing comes back but by an annulment.
    """
    replaced: set[int | None] = set()
    annulled: set[int | None] = set()
    for position, corrects, annuls in reversed(links):
        if position not in annulled:
            replaced.add(corrects)
            annulled.add(annuls)
    return {position for position, _, _ in links} - replaced - annulled


def steps(entries: Sequence[Entry], zone: HomeZone) -> list[Step]:
    """The live entries of one record, in position order going in, in the order they happened.

    An opening sorts first, its bounds lowered to the smallest latest day among the steps after it:
    whatever happened to a record happened after it began, however coarse the dates are.
    """
    live = live_positions(entries)
    by_position = dated(entries, zone)
    ordered = sorted(
        (by_position[position] for position in live if position in by_position),
        key=lambda step: (not step.event.is_opening, step.latest, step.root),
    )
    return list(_possible(_lowered(ordered)))


def extended(
    before: Sequence[Step], entries: Sequence[Entry], zone: HomeZone
) -> tuple[list[Step], int]:
    """The steps with the last of `entries` among them, and how many of `before` they begin with.

    `before` are the steps of all entries but the last. What happened after everything else, which
    is what most entries say, is put behind it; anything else may change the order.
    """
    added = entries[-1]
    if added.target is None and added.event is not None:
        step = _step(added, added.event, None, zone)
        if len(entries) == 1:
            return [_from(step, step.earliest)], 0
        if before and not added.event.is_opening and step.latest >= before[-1].latest:
            possible_from = max(step.earliest, before[-1].possible_from)
            return [*before, _from(step, possible_from)], len(before)
    after = steps(entries, zone)
    pairs = enumerate(zip(before, after, strict=False))
    kept = next((index for index, (old, new) in pairs if old != new), min(len(before), len(after)))
    return after, kept


def grown(
    before: Sequence[Step], entries: Iterable[Entry], added: Iterable[Entry], zone: HomeZone
) -> Iterator[Growth]:
    """What each of `added` does to the steps `before`, which are those of `entries`."""
    taken = list(entries)
    for entry in added:
        taken.append(entry)
        before, kept = extended(before, taken, zone)
        yield Growth(entry, kept, before[kept:])


def dated(entries: Iterable[Entry], zone: HomeZone) -> dict[int, Step]:
    """Each entry but the annulments, with its own bounds and the root of its chain."""
    by_position: dict[int, Step] = {}
    for entry in entries:
        if entry.event is None:
            continue
        corrected = None if entry.corrects is None else by_position[entry.corrects]
        by_position[entry.position] = _step(entry, entry.event, corrected, zone)
    return by_position


def _step(entry: Entry, event: AnyEvent, corrected: Step | None, zone: HomeZone) -> Step:
    """An entry as a step of its own, not yet in its place."""
    before = None
    if corrected is not None:
        before = Dated(corrected.effective, corrected.earliest, corrected.latest)
    dated = when(entry.statement.effective, entry.recorded_at, before, zone)
    root = entry.position if corrected is None else corrected.root
    return Step(entry, event, dated.effective, root, dated.earliest, dated.latest)


class Dated(NamedTuple):
    """A date as stated, and the days between which what is so dated happened."""

    effective: Edtf
    earliest: date
    latest: date


def when(
    effective: Edtf | None, recorded_at: datetime, corrected: Dated | None, zone: HomeZone
) -> Dated:
    """When an entry's event happened, given when what it corrects did.

    A correction that leaves the date alone keeps the bounds of what it corrects: the fact had
    happened when that was recorded, however much later the correction came.
    """
    if corrected is not None and (effective is None or effective.text == corrected.effective.text):
        return corrected
    assert effective is not None, "only a correction or an annulment leaves the date out"
    return Dated(effective, *accomplished(effective, zone.day_of(recorded_at)))


def _lowered(ordered: list[Step]) -> list[Step]:
    if len(ordered) < 2 or not ordered[0].event.is_opening:
        return ordered
    opening, latest = ordered[0], ordered[1].latest
    if latest < opening.latest:
        opening = opening._replace(latest=latest, earliest=min(opening.earliest, latest))
    return [opening, *ordered[1:]]


def _possible(ordered: Iterable[Step]) -> Iterable[Step]:
    possible_from = date.min
    for step in ordered:
        possible_from = max(possible_from, step.earliest)
        yield _from(step, possible_from)


def _from(step: Step, possible_from: date) -> Step:
    """The step with that day as its `possible_from`."""
    # `_replace` takes several times as long, and this is done for every step of every history.
    return Step(*step[:-1], possible_from)
