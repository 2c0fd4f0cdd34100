"""Given what happened, when something is proposed, then this state or that refusal: rules alone.

No ledger, no database: events are admitted and applied one after another, as the ledger does it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from ledger.kind import AnyEvent, Kind
from ledger.refusal import Refused


@dataclass(frozen=True)
class Given:
    """A record to which `events` happened."""

    events: tuple[AnyEvent, ...]

    def when(self, proposed: AnyEvent) -> When:
        """Propose another event."""
        return When(self._state(), proposed)

    def _state(self) -> Any:
        state = None
        for event in self.events:
            event.admit_to(state)
            state = event.apply_to(state)
        return state


@dataclass(frozen=True)
class When:
    """An event proposed in a state; None is no record."""

    state: Any
    proposed: AnyEvent

    def then(self, state: Any) -> None:
        """It is admitted, and this is the state after it."""
        self.proposed.admit_to(self.state)
        assert self.proposed.apply_to(self.state) == state

    def then_refused(self, code: str, message: str, *, field: str | None = None) -> None:
        """It is refused, with all of this."""
        with pytest.raises(Refused) as refused:
            self.proposed.admit_to(self.state)
        refusal = refused.value
        assert (refusal.code, refusal.message, refusal.field) == (code, message, field)

    def then_no_such_record(self) -> None:
        """It is refused, since there is nothing that it could change."""
        message = "there is no such record yet; record its opening first"
        self.then_refused("NOT_FOUND", message)

    def then_on_record_already(self) -> None:
        """It is refused, since a record begins once."""
        message = "this record is on record already; correct its opening instead"
        self.then_refused("ALREADY_EXISTS", message)


def given(*events: AnyEvent) -> Given:
    """Begin a sentence: `given(…).when(…).then(…)`; without events, there is no record."""
    return Given(events)


def check_keys(kind: Kind, *, fit: list[str], unfit: list[str]) -> None:
    """Hold the form of a kind's keys to examples; the refusal names the column and an example."""
    for key in (*fit, kind.key_example):
        kind.check_key(key)
    for key in unfit:
        with pytest.raises(Refused) as refused:
            kind.check_key(key)
        refusal = refused.value
        assert (refusal.code, refusal.field) == ("MALFORMED", kind.key_column), key
        assert refusal.message == (
            f"{key!r} is not a key of a {kind.name}; one looks like {kind.key_example!r}"
        )
