"""The random histories are worth drawing: most of what they propose is recorded, and not all."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given

from ledger.entry import Entry
from ledger.kind import Kind
from projections import REGISTRY
from tests.properties.asking import EVERY_TABLE, AnyTable
from tests.properties.playing import Move, Played, foundations
from tests.properties.records import founded_keys, keys_of, plain_event, tried_keys, values_of
from tests.properties.strategies import examples, histories

NATURAL = [kind for kind in REGISTRY.kinds if kind.key_fields]


@EVERY_TABLE
def test_most_of_what_is_drawn_is_recorded_and_some_of_it_is_not(table: AnyTable) -> None:
    recorded: Counter[bool] = Counter()
    for _, entry in drawn(table.kind, 30):
        recorded[entry is not None] += 1
    assert 0.7 < recorded[True] / recorded.total() < 1


def drawn(kind: Kind, times: int) -> list[tuple[Move, Entry | None]]:
    """Moves about the tried records of a kind, and what they became; of so many histories."""
    laid = len(foundations([kind]))
    found: list[tuple[Move, Entry | None]] = []

    @examples(times)
    @given(played=histories([(kind, key) for key in tried_keys(kind)]))
    def draw(played: Played) -> None:
        found.extend(list(zip(played.plan, played.recorded, strict=True))[laid:])

    draw()
    return found


@pytest.mark.parametrize("kind", NATURAL, ids=lambda kind: kind.name)
def test_natural_keys_are_tried_with_each_field_that_may_be_empty(kind: Kind) -> None:
    optional = {part.name for part in kind.key_parts() if part.optional}
    for keys in (tried_keys(kind), founded_keys(kind)):
        filled = {name for key in keys for name in values_of(kind, key)}
        assert len(filled & optional) == min(2, len(optional))
    for key in keys_of(kind):
        event = plain_event(kind, key)
        assert {name: getattr(event, name) for name in values_of(kind, key)} == values_of(kind, key)


@pytest.mark.parametrize("kind", NATURAL, ids=lambda kind: kind.name)
def test_an_event_is_rarely_proposed_about_another_record_than_its_own(kind: Kind) -> None:
    stating = [
        kind.natural_key({name: getattr(move.event, name) for name in kind.key_fields}) == move.key
        for move, _ in drawn(kind, 100)
        if move.event is not None and kind.key_parts_of(type(move.event))
    ]
    assert 0.8 < sum(stating) / len(stating) < 1
