"""The naive reading of "Two times, and dates that are not exact": the oracle of the timelines.

Written from the text of the design alone, as plainly and slowly as possible: everything is worked
out anew for every question, by listing the ways in which a record's history can have gone. It
shares no code with what it judges, except the parser of dates and the events' own `apply_to`.

Where the text leaves a choice, this is the reading taken:

* *Live* is an entry that no live later entry corrects or annuls. To the letter, a correction that
  was itself corrected is not live, so what it corrects would come back and stand beside the second
  correction. But a correction takes the place of an earlier entry, and only annulling it brings
  that back: so what counts of a correction is not that it is live, but that it is not annulled.
* *A correction that leaves the effective date alone* is one that states none, or states the same
  text as what it corrects; the text of what it corrects may itself be one that was left alone.
* *The day on which it was recorded*, at which the latest day is cut, is the entry's own: that of
  the correction, where a correction brings a date of its own.
* *The first entry of its chain* is found by going from a correction to what it corrects, over and
  over, whether or not these are live; the others sort at their own position.
* *An opening* is an event whose class says so. An event that only happens to come first is not
  one: its days stay as they are. What a chain ends in counts, not what it began with.
* *Its changes*, among which an opening's latest day is lowered to the smallest, are the other live
  entries of the record as far as they are known; annulments have no day and are none. An earliest
  day that would then lie after the latest is lowered to it.
* *A prefix that is possible on E* holds at least what the cautious state holds, since whatever had
  happened by its latest day has happened; and nothing whose *possible from* is after E. So the
  empty prefix, that the record does not exist, is possible exactly if the cautious state is none.
* *Admitting replays the whole resulting timeline*: every live event is admitted anew, in the order
  in which they happened. What is brought back by an annulment must not stand beside another of its
  chain. An opening is corrected by an opening only, and an annulment by nothing.
* *Low and high* of a number go over the same prefixes. Where the record may not exist, that is one
  of the possibilities, and the caller says what the number is then (0 in a sum).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from ledger.dates import parse_edtf
from ledger.kind import AnyEvent
from ledger.refusal import Refused

Condition = Callable[["Prefix"], bool]
Number = Callable[["Prefix"], Decimal]


@dataclass(frozen=True)
class Fact:
    """A recorded entry of one record: an event (which may correct), or an annulment (None).

    `position` is its place in the ledger, `recorded_day` the home zone's day of its recording,
    `effective` an EDTF text; `corrects` and `annuls` are the positions of earlier facts.
    """

    position: int
    recorded_day: date
    effective: str | None
    event: AnyEvent | None
    corrects: int | None = None
    annuls: int | None = None


Facts = Sequence[Fact]
Prefix = tuple[Fact, ...]
"""The facts that had happened, in the order in which they happened; empty: no such record."""


def known_by(facts: Facts, position: int) -> list[Fact]:
    """The facts that were recorded at `position` or before."""
    return [fact for fact in facts if fact.position <= position]


def is_annulled(fact: Fact, known: Facts) -> bool:
    """Whether a later fact annuls it that was not annulled in its turn."""
    return any(
        other.annuls == fact.position and not is_annulled(other, known)
        for other in known
        if other.position > fact.position
    )


def is_live(fact: Fact, known: Facts) -> bool:
    """Whether it is not annulled, and no correction that is not annulled has taken its place."""
    is_replaced = any(
        other.corrects == fact.position and not is_annulled(other, known)
        for other in known
        if other.position > fact.position
    )
    return not is_replaced and not is_annulled(fact, known)


def at_position(known: Facts, position: int) -> Fact:
    """The fact that was recorded at `position`."""
    return next(fact for fact in known if fact.position == position)


def sorts_at(fact: Fact, known: Facts) -> int:
    """The position of the first entry of its chain of corrections; its own if it corrects none."""
    if fact.corrects is None:
        return fact.position
    return sorts_at(at_position(known, fact.corrects), known)


def effective_text(fact: Fact, known: Facts) -> str:
    """The date that it states, or else that of what it corrects."""
    if fact.effective is not None:
        return fact.effective
    assert fact.corrects is not None, "only a correction may leave the date alone"
    return effective_text(at_position(known, fact.corrects), known)


def own_bounds(fact: Fact, known: Facts) -> tuple[date, date]:
    """The earliest and the latest day, before an opening's are lowered."""
    if fact.corrects is not None:
        corrected = at_position(known, fact.corrects)
        if effective_text(fact, known) == effective_text(corrected, known):
            return own_bounds(corrected, known)
    stated = parse_edtf(effective_text(fact, known))
    if stated.earliest > fact.recorded_day:
        return stated.earliest, stated.latest  # A plan, or a stated future effect.
    if stated.latest > fact.recorded_day:
        return stated.earliest, fact.recorded_day
    return stated.earliest, stated.latest


def is_opening(fact: Fact) -> bool:
    """Whether its event is of a class that begins records."""
    return fact.event is not None and fact.event.is_opening


def happened(known: Facts) -> list[Fact]:
    """The live events among what is known."""
    return [fact for fact in known if fact.event is not None and is_live(fact, known)]


def bounds(fact: Fact, known: Facts) -> tuple[date, date]:
    """The earliest and the latest day; an opening's lowered to what its changes leave it."""
    earliest, latest = own_bounds(fact, known)
    if is_opening(fact):
        for change in happened(known):
            latest = min(latest, own_bounds(change, known)[1])
        earliest = min(earliest, latest)
    return earliest, latest


def in_order(known: Facts) -> list[Fact]:
    """The live events in the order in which they happened: the opening, then by latest day."""

    def key(fact: Fact) -> tuple[bool, date, int]:
        return not is_opening(fact), bounds(fact, known)[1], sorts_at(fact, known)

    return sorted(happened(known), key=key)


def possible_from(prefix: Prefix, known: Facts) -> date:
    """The greatest earliest day of the facts in a prefix that is not empty."""
    return max(bounds(fact, known)[0] for fact in prefix)


def cautious(facts: Facts, day: date, position: int) -> Prefix:
    """What had happened by `day` on the cautious reading, as far as was known at `position`."""
    known = known_by(facts, position)
    return tuple(fact for fact in in_order(known) if bounds(fact, known)[1] <= day)


def possible_prefixes(facts: Facts, day: date, position: int) -> list[Prefix]:
    """Everything that may have happened by `day`: the cautious prefix first, then longer ones."""
    known = known_by(facts, position)
    order = in_order(known)
    certainly = cautious(facts, day, position)
    found = []
    for length in range(len(order) + 1):
        prefix = tuple(order[:length])
        holds_what_is_certain = all(fact in prefix for fact in certainly)
        may_have_happened = not prefix or possible_from(prefix, known) <= day
        if holds_what_is_certain and may_have_happened:
            found.append(prefix)
    return found


def is_certain(facts: Facts, day: date, position: int, condition: Condition) -> bool:
    """Whether the record exists cautiously and `condition` holds after every possible prefix."""
    if not cautious(facts, day, position):
        return False
    return all(condition(prefix) for prefix in possible_prefixes(facts, day, position))


def is_possible(facts: Facts, day: date, position: int, condition: Condition) -> bool:
    """Whether `condition` holds after at least one possible prefix with which the record exists."""
    return any(prefix and condition(prefix) for prefix in possible_prefixes(facts, day, position))


def low_and_high(facts: Facts, day: date, position: int, number: Number) -> tuple[Decimal, Decimal]:
    """The least and the greatest `number` over the possible prefixes, the empty one included."""
    numbers = [number(prefix) for prefix in possible_prefixes(facts, day, position)]
    return min(numbers), max(numbers)


def state_after(prefix: Prefix) -> Any:
    """The state that the rules see after a prefix: what `apply_to` makes of it; None if empty."""
    state: Any = None
    for fact in prefix:
        assert fact.event is not None, "annulments are in no prefix"
        state = fact.event.apply_to(state)
    return state


def may_be_recorded(fact: Fact, facts: Facts) -> bool:
    """Whether `fact` may follow `facts`, everything that it refers to being on record."""
    target = fact.corrects if fact.annuls is None else fact.annuls
    if target is not None:
        aimed = at_position(facts, target)
        if not is_live(aimed, facts):
            return False
        if fact.corrects is not None and (
            aimed.event is None or is_opening(aimed) != is_opening(fact)
        ):
            return False
    accomplished = fact.event is not None and fact.event.accomplished
    if accomplished and own_bounds(fact, [*facts, fact])[0] > fact.recorded_day:
        return False
    order = in_order([*facts, fact])
    chains = {sorts_at(other, [*facts, fact]) for other in order}
    return len(chains) == len(order) and can_be_replayed(tuple(order))


def can_be_replayed(prefix: Prefix) -> bool:
    """Whether each event of a prefix may follow those before it, by the rules of its kind."""
    for length, fact in enumerate(prefix):
        assert fact.event is not None, "annulments are in no prefix"
        try:
            fact.event.admit_to(state_after(prefix[:length]))
        except Refused:
            return False
    return True
