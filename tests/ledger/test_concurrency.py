"""Many at once: no gaps, nothing acknowledged is missing, nothing refused is there."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from itertools import product
from random import Random
from string import ascii_uppercase
from typing import Never

import pytest

from ledger.admission import Answer
from ledger.database import connect
from ledger.entry import Proposal
from ledger.kind import Kind, Opening, Registry
from ledger.record import Ledger, SetRefused
from projections import REGISTRY, TABLES
from projections.timeline import Projector
from tests.ledger.recording import ZONE, account, proposed, received, returned, rows, state

THREADS = 8
CONTESTED = 80
"""So many states are proposed by every thread, and admitted once."""

AHEAD = 5
"""So many proposals does a thread make before it waits for their answers."""

KEYS = ["".join(letters) for letters in product(ascii_uppercase, repeat=3)]


class Armed(Opening[None], stored_as="trap.armed", personal=()):
    """An event with a bug: it can't be applied."""

    note: str

    def apply_to(self, current: None) -> Never:
        raise RuntimeError("the trap snapped")


TRAP = Kind(name="trap", family="test", events=(Armed,), key_column="trap", key_example="T")


@dataclass
class Outcomes:
    """What one thread was told, by the notes that tell its proposals apart."""

    acknowledged: dict[str, Answer] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)

    def note(self, proposal: Proposal, future: Future[list[Answer]]) -> None:
        """Wait, and note what came of it."""
        note = proposal.statement.note or ""
        try:
            [self.acknowledged[note]] = future.result()
        except SetRefused as set_refused:
            [(_, refusal)] = set_refused.refusals
            self.refused[note] = refusal.code
        except RuntimeError as error:
            self.failed.append(str(error))


@pytest.fixture
def open_ledger(database: str) -> Iterator[Callable[[], Ledger]]:
    """Open writers on the same database, with a trap among the kinds of records."""
    ledgers: list[Ledger] = []

    def opened() -> Ledger:
        registry = Registry([*REGISTRY.kinds, TRAP])
        ledgers.append(Ledger(lambda: connect(database), registry, ZONE, Projector(TABLES, ZONE)))
        return ledgers[-1]

    yield opened
    for ledger in ledgers:
        ledger.close()


def proposals(thread: int) -> list[Proposal]:
    """A thread's 1,250 proposals: 990 good, 180 bad, and 80 that every other thread makes too."""
    made: list[Proposal] = []
    for number in range(330):
        # What follows upon another keeps its place: each is good only after the one before it.
        key = f"C-{thread}-{number}"
        made += [
            received(key, "10.00", note=f"{key} first"),
            received(key, "5.50", note=f"{key} second"),
            returned(key, "0.50", note=f"{key} back"),
        ]
    bad = [
        made_bad
        for number in range(60)
        for made_bad in (
            received(f"X-{thread}-{number}", "1.005", note=f"X {thread} {number} too precise"),
            received(f"Y-{thread}-{number}", "1.00", state="ZZZ", note=f"Y {thread} {number} no"),
            returned(f"C-{thread}-{number}", "99.00", note=f"Z {thread} {number} too much"),
        )
    ]
    contested = [state(key, note=f"{key} by {thread}") for key in KEYS[:CONTESTED]]
    random = Random(thread)  # noqa: S311  # The same order each time, and no secret.
    for more in (*bad, *contested):
        made.insert(random.randrange(len(made) + 1), more)
    return made


def at_once(*tasks: Callable[[], None]) -> None:
    """Run every task in a thread of its own, all beginning together."""
    start = threading.Barrier(len(tasks))

    def run(task: Callable[[], None]) -> None:
        start.wait()
        task()

    threads = [threading.Thread(target=run, args=[task]) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def all_of(ledger: Ledger, made: Sequence[Proposal], outcomes: Outcomes) -> Callable[[], None]:
    """The task of proposing all of these one after another, a few before the first is answered."""

    def task() -> None:
        for begin in range(0, len(made), AHEAD):
            some = made[begin : begin + AHEAD]
            futures = [ledger.submit([proposal]) for proposal in some]
            for proposal, future in zip(some, futures, strict=True):
                outcomes.note(proposal, future)

    return task


def check_log(database: str, told: Sequence[Outcomes], grounds: int) -> None:
    """Hold the log to what was told: `grounds` entries were there before."""
    query = "SELECT position, id, kind, key, version, data, recorded_at FROM ledger.entries"
    stored = rows(database, f"{query} ORDER BY position")
    assert [row[0] for row in stored] == list(range(1, len(stored) + 1))
    assert rows(database, "SELECT position FROM ledger.head") == [(len(stored),)]
    added = stored[grounds:]
    notes = {json.loads(row[5])["note"]: (row[0], row[1]) for row in added}
    acknowledged = {
        note: (answer.entry.position, answer.entry.id)
        for outcomes in told
        for note, answer in outcomes.acknowledged.items()
        if not answer.repeated
    }
    assert len(notes) == len(added)
    assert notes == acknowledged
    versions: Counter[tuple[str, str]] = Counter()
    for _, _, kind, key, version, _, _ in stored:
        versions[kind, key] += 1
        assert version == versions[kind, key]
    moments = [row[6] for row in stored]
    assert moments == sorted(moments)


def test_eight_threads_propose_ten_thousand_entries(
    open_ledger: Callable[[], Ledger], database: str
) -> None:
    ledger = open_ledger()
    for ground in (state("KAZ"), account("MAIN")):
        ledger.record(ground)
    made = [proposals(thread) for thread in range(THREADS)]
    assert sum(map(len, made)) == 10_000
    trapped = Outcomes()
    traps = [proposed("trap", f"T-{n}", Armed(note="x"), note=f"trap {n}") for n in range(5)]
    told = [Outcomes() for _ in made]
    pairs = zip(made, told, strict=True)
    at_once(all_of(ledger, traps, trapped), *(all_of(ledger, *pair) for pair in pairs))

    assert trapped.failed == ["the trap snapped"] * 5
    assert [outcomes.failed for outcomes in told] == [[]] * THREADS
    refused = [code for outcomes in told for code in outcomes.refused.values()]
    assert Counter(refused) == {
        "ALREADY_EXISTS": CONTESTED * (THREADS - 1),
        "MALFORMED": 60 * THREADS,
        "NOT_FOUND": 60 * THREADS + sum(too_early(outcomes) for outcomes in told),
        "NOT_PERMITTED": 60 * THREADS - sum(too_early(outcomes) for outcomes in told),
    }
    assert len(refused) == 2_000
    check_log(database, told, grounds=2)
    query = "SELECT count(*), sum(net) FROM projections.contributions WHERE upper_inf(known)"
    assert rows(database, f"{query} AND upper_inf(effective)") == [
        (330 * THREADS, 330 * THREADS * 15)
    ]


def too_early(outcomes: Outcomes) -> int:
    """How much was to go back before anything had come in, as the shuffling would have it."""
    return sum(
        1
        for note, code in outcomes.refused.items()
        if note.startswith("Z ") and code == "NOT_FOUND"
    )


def test_two_writers_on_one_database(open_ledger: Callable[[], Ledger], database: str) -> None:
    first, second = open_ledger(), open_ledger()
    for ground in (state("KAZ"), account("MAIN")):
        first.record(ground)
    told = [Outcomes() for _ in range(4)]
    tasks = [
        all_of(ledger, contended(thread), outcomes)
        for thread, (ledger, outcomes) in enumerate(zip([first, second] * 2, told, strict=True))
    ]
    at_once(*tasks)
    assert [outcomes.failed for outcomes in told] == [[]] * 4
    check_log(database, told, grounds=2)

    # Each contested state was admitted once, and the others were told that it is there.
    admitted = Counter(
        note.split()[0] for outcomes in told for note in outcomes.acknowledged if " by " in note
    )
    assert admitted == dict.fromkeys(KEYS[:100], 1)
    codes = Counter(code for outcomes in told for code in outcomes.refused.values())
    assert codes == {"ALREADY_EXISTS": 300}
    # Each request that all made under one key was recorded once, and all have the same answer.
    for number in range(50):
        answers = [outcomes.acknowledged[f"same {number}"] for outcomes in told]
        assert len({answer.entry.id for answer in answers}) == 1
        assert sorted(answer.repeated for answer in answers) == [False, True, True, True]
    # The instalments of one contribution came in one at a time, whoever wrote them.
    [(net,)] = rows(
        database,
        "SELECT max(net) FROM projections.contributions WHERE key = 'C-0' AND upper_inf(known)",
    )
    assert net == 4 * 20


def contended(thread: int) -> list[Proposal]:
    """Proposals of which the other threads make the same, or some for the same records."""
    return [
        *(state(key, note=f"{key} by {thread}") for key in KEYS[:100]),
        *(
            received(f"S-{number}", "1.00", note=f"same {number}", idempotency_key=f"{number}")
            for number in range(50)
        ),
        *(received("C-0", "1.00", note=f"instalment {thread} {n}") for n in range(20)),
    ]
