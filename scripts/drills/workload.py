"""What the recorders of a drill propose: the same for the same name, thread and number.

Whoever checks afterwards makes the same proposals again, and so knows what an entry must hold that
nobody acknowledged, and what must not be there.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from string import ascii_uppercase

from ledger.entry import Proposal
from tests.ledger.recording import account, person, received, returned, state

RECORDERS = ("A", "B")
THREADS = 3

# Not those of the register (benchmarks/data.py), which end in X.
CONTESTED = ["".join(letters) for letters in product(ascii_uppercase, "QRSTUVW", "YZ")]
"""States that every thread of every recorder proposes, and that are admitted once."""

SHARED_RECORDS = 16
"""So many contributions come in by instalments from everybody."""


@dataclass(frozen=True, slots=True, order=True)
class Turn:
    """One set of proposals: whose it is, and which in their order."""

    recorder: str
    thread: int
    number: int

    @property
    def name(self) -> str:
        """What tells its proposals from all others: their notes and keys begin with it."""
        return f"{self.recorder}-{self.thread}-{self.number}"

    def then(self) -> Turn:
        """What the same thread proposes next."""
        return Turn(self.recorder, self.thread, self.number + 1)


def grounds() -> list[Proposal]:
    """What all the others refer to."""
    return [state("KAZ"), account("MAIN")]


def proposals(turn: Turn, *, states_only: bool = False) -> list[Proposal]:
    """The set to be proposed in this turn: some are good, and some must be refused whole.

    With `states_only` nothing is proposed of which an early schema has no table.
    """
    makers = (_contested,) if states_only else _MAKERS
    made = makers[turn.number % len(makers)](turn)
    return [
        proposal._replace(
            idempotency_key=note(turn, index),
            statement=proposal.statement._replace(note=note(turn, index)),
        )
        for index, proposal in enumerate(made)
    ]


def note(turn: Turn, index: int) -> str:
    """What a proposal of a turn has as its note and as its idempotency key."""
    return f"{turn.name}/{index}"


def must_be_refused(turn: Turn) -> bool:
    """Whether no ledger may ever take what is proposed in this turn."""
    return _MAKERS[turn.number % len(_MAKERS)] in {_too_precise, _half_bad}


def _contested(turn: Turn) -> list[Proposal]:
    return [state(CONTESTED[turn.number % len(CONTESTED)])]


def _pair(turn: Turn) -> list[Proposal]:
    return [received(f"C-{turn.name}-A", "10.00"), received(f"C-{turn.name}-B", "5.00")]


def _too_precise(turn: Turn) -> list[Proposal]:
    return [received(f"X-{turn.name}", "1.005")]


def _instalment(turn: Turn) -> list[Proposal]:
    return [received(f"C-SHARED-{turn.number % SHARED_RECORDS}", "1.00")]


def _back(turn: Turn) -> list[Proposal]:
    # Of the pair that the same thread proposed three turns before.
    pair = Turn(turn.recorder, turn.thread, turn.number - 3)
    return [returned(f"C-{pair.name}-A", "2.00")]


def _half_bad(turn: Turn) -> list[Proposal]:
    key = f"Y-{turn.name}"
    return [received(key, "3.00"), returned(key, "99.00")]


def _registered(turn: Turn) -> list[Proposal]:
    number = (RECORDERS.index(turn.recorder) * THREADS + turn.thread + 1) * 10_000_000
    return [person(f"P-{number + turn.number}", f"Person of {turn.name}")]


# In this order: what goes back refers to the pair before it.
_MAKERS = (_contested, _pair, _too_precise, _instalment, _back, _half_bad, _registered)
