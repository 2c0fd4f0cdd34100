"""The one way into the ledger: lock, replay, admit, append, project, commit.

One thread with one connection takes all the sets of proposals that wait and commits them together:
the price of a commit is shared, and whoever gets an answer finds the entry durable and in every
read model. A set is recorded whole or not at all; refusing one does not touch the others.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby
from queue import SimpleQueue
from typing import Any, Protocol, Self

import psycopg

from ledger import store, transaction
from ledger.admission import Answer, Batch, Draft, History, Prepared, RecordName
from ledger.codec import EntryMapper
from ledger.database import AnyConnection, is_gone, one_line
from ledger.dates import HomeZone
from ledger.entry import Entry, Proposal
from ledger.kind import Registry
from ledger.meanwhile import Meanwhile
from ledger.portions import Pair, portions
from ledger.refusal import Refused, SecretariatError, Unusable
from ledger.sets import Admission
from ledger.store import Head
from ledger.timeline import RecordChange
from ledger.transaction import Ground
from ledger.trip import COMMIT, DISCARD_PLANS, ROLLBACK, Asked, Trips

MOST_PROPOSALS = 1_000
"""So many proposals, at the most, are waited for and committed together."""

# Why a limit: if a network swallowed the lost session's end, the server keeps its lock for hours.
LONGEST_WAIT = "30s"
LIMIT_WAIT = "SELECT set_config('lock_timeout', %s, true)"

FIND_IDS = "SELECT count(*) FROM ledger.entries WHERE id = ANY(%s)"


class Projection(Protocol):
    """Keeps read models in step with the ledger: what to run in its transactions.

    `rules` is the version of its folds; nothing is recorded while the read models have another.
    """

    @property
    def rules(self) -> str: ...

    def project(self, changes: Sequence[RecordChange]) -> list[Asked]: ...


class SetRefused(SecretariatError):
    """A set of proposals was refused; nothing of it was recorded.

    `refusals` pairs the index of each proposal at fault with its refusal. `left_out` counts the
    proposals that were not looked at, because they are about, or refer to, a record at fault.
    """

    def __init__(self, refusals: list[tuple[int, Refused]], left_out: int) -> None:
        super().__init__("; ".join(refusal.message for _, refusal in refusals))
        self.refusals = refusals
        self.left_out = left_out


class Broke(Unusable):
    """The connection broke before anything was recorded: proposing it again repeats nothing."""


class GivenUp(Unusable):
    """The database gave up a statement, for a limit or on request, so nothing was recorded."""


class NotKnown(SecretariatError):
    """The connection broke and the outcome could not be learned.

    Ask again with the same idempotency key: what was recorded is then answered, not repeated.
    """


@dataclass(slots=True)
class Job:
    """A set of proposals, and who waits for its answers.

    It is either `prepared`, or `proposals` that are prepared a portion at a time.
    """

    prepared: list[Prepared]
    proposals: Iterable[Proposal] | None
    dry_run: bool
    progress: Callable[[int], None]
    answers: Future[Any] = field(default_factory=Future)


@dataclass(slots=True)
class Attempt:
    """What a transaction was about to commit; of many portions, `entries` are those of the last."""

    outcomes: list[list[Any] | Exception] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)


class Ledger:
    """Records proposals. Safe to use from any thread; `close` waits for what was submitted."""

    def __init__(
        self,
        connect: Callable[[], AnyConnection],
        registry: Registry,
        zone: HomeZone,
        projection: Projection,
    ) -> None:
        self.registry = registry
        self.zone = zone
        self._connect = connect
        self._connection: AnyConnection | None = None
        self._trips: Trips | None = None
        self._planned_at = 0
        self._projection = projection
        self._mapper = EntryMapper(registry)
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._closed = False
        self._gate = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="ledger writer", daemon=True)
        self._thread.start()

    def submit(
        self,
        proposals: Sequence[Proposal],
        *,
        dry_run: bool = False,
        progress: Callable[[int], None] = lambda count: None,
    ) -> Future[list[Answer]]:
        """Propose a set, to be recorded whole or not at all.

        The future gives an answer for each proposal, in order, or raises `SetRefused`. With
        `dry_run` everything is done but the recording. `progress` is called with the number of
        proposals admitted so far.
        """
        prepared, refusals = [], []
        for index, proposal in enumerate(proposals):
            try:
                kind = self.registry.kind(proposal.kind)
                prepared.append(Prepared.of(proposal, kind, self._mapper))
            except Refused as refusal:
                refusals.append((index, refusal))
        job = Job(prepared, None, dry_run, progress)
        if refusals:
            self._check_open()
            job.answers.set_exception(SetRefused(refusals, left_out=0))
        else:
            self._put(job)
        return job.answers

    def submit_many(
        self,
        proposals: Iterable[Proposal],
        *,
        dry_run: bool = False,
        progress: Callable[[int], None] = lambda count: None,
    ) -> Future[list[bool]]:
        """Propose a set of any size, of which no more than a portion is held in memory.

        As `submit`, but the future says of each proposal only whether it was recorded before.
        `proposals` are gone through once for each try, in the thread of the writer.
        """
        job = Job([], proposals, dry_run, progress)
        self._put(job)
        return job.answers

    def _check_open(self) -> None:
        if self._closed:
            raise Unusable("the ledger is closed")

    def _put(self, job: Job) -> None:
        # Whoever closes the ledger is the last one through the gate: no job comes after the None.
        with self._gate:
            self._check_open()
            self._jobs.put(job)

    def record(self, proposal: Proposal) -> Answer:
        """Record one proposal and return its answer, or raise its `Refused`."""
        try:
            return self.submit([proposal]).result()[0]
        except SetRefused as refused:
            raise refused.refusals[0][1] from None

    def close(self) -> None:
        """Record what was submitted, then let go of the connection."""
        with self._gate:
            if not self._closed:
                self._closed = True
                self._jobs.put(None)
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _run(self) -> None:
        closing = False
        while not closing:
            jobs, closing = self._waiting()
            # Whoever gave up waiting by now is not served; later on it is too late for giving up.
            wanted = [job for job in jobs if job.answers.set_running_or_notify_cancel()]
            # What comes in portions has a transaction of its own.
            for is_whole, group in groupby(wanted, lambda job: job.proposals is None):
                for together in [list(group)] if is_whole else [[job] for job in group]:
                    self._settle(together)
        if self._connection is not None:
            self._connection.close()

    def _waiting(self) -> tuple[list[Job], bool]:
        """Wait for a job and take with it all that wait too; True if it is time to stop."""
        jobs: list[Job] = []
        count = 0
        while not jobs or (count < MOST_PROPOSALS and not self._jobs.empty()):
            job = self._jobs.get()
            if job is None:
                return jobs, True
            jobs.append(job)
            count += len(job.prepared)
        return jobs, False

    def _settle(self, jobs: list[Job], *, last_try: bool = False) -> None:
        """Commit jobs together; if that fails unexpectedly, one by one.

        So only the culprit bears it. A connection that broke since it was last used is nobody's
        fault, so then even a job that was alone is tried once more.
        """
        try:
            outcomes = self._commit(jobs)
        except Exception as error:  # noqa: BLE001  # Whatever it is, somebody waits for an answer.
            self._discard_connection()
            if not last_try and _is_worth_another_try(error, jobs):
                for job in jobs:
                    self._settle([job], last_try=True)
                return
            outcomes = [error] * len(jobs)
        for job, outcome in zip(jobs, outcomes, strict=True):
            if isinstance(outcome, BaseException):
                job.answers.set_exception(outcome)
            else:
                job.answers.set_result(outcome)

    def _commit(self, jobs: list[Job]) -> list[list[Any] | Exception]:
        try:
            connection = self._open_connection()
        except psycopg.OperationalError as error:
            # While the new connection was being prepared.
            raise (_broken if is_gone(error) else _given_up)(error) from error
        attempt = Attempt()
        try:
            self._attempt(connection, jobs, attempt)
        except psycopg.errors.DiskFull as error:
            # Whatever needs room at COMMIT and doesn't get it ends the server, not the statement.
            raise Unusable(
                f"the database's disk is full ({one_line(error)}), so nothing was recorded; make"
                " room and try again"
            ) from error
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            if not connection.closed:
                # The server goes on and has said so itself: no COMMIT comes behind what fails.
                raise _given_up(error) from error
            self._discard_connection()
            if not self._was_stored(attempt.entries, error):
                raise _broken(error) from error
        return attempt.outcomes

    def _attempt(self, connection: AnyConnection, jobs: list[Job], attempt: Attempt) -> None:
        trips = self._prepared_trips(connection)
        if jobs[0].proposals is not None:
            self._attempt_portions(trips, jobs[0], jobs[0].proposals, attempt)
            return
        batch = self._read(trips, [p for job in jobs for p in job.prepared])
        before = dict(batch.histories)
        attempt.outcomes += (_admit(batch, job) for job in jobs)
        attempt.entries += batch.entries
        writing = self._writing(batch, before) if batch.entries else []
        trips.make([*writing, (COMMIT, ())])

    def _attempt_portions(
        self, trips: Trips, job: Job, proposals: Iterable[Proposal], attempt: Attempt
    ) -> None:
        """Admit and write a portion after the other, all in one transaction.

        What was refused is left aside and the rest goes on, so that all refusals are found; then
        nothing is kept.
        """
        admission = Admission(job.progress)
        repeated: list[bool] = []
        head: Head | None = None
        # While the database writes a portion, the next one is read and prepared.
        with Meanwhile() as meanwhile:
            for pairs in portions(map(self._prepared, proposals)):
                meanwhile.wait()
                items = [item for _, item in pairs if isinstance(item, Prepared)]
                batch = self._read(trips, items, head)
                before = dict(batch.histories)
                draft = Draft.of(batch, admission.labels)
                repeated += (answer.repeated for answer in admission.admit(draft, pairs))
                if admission.error is not None:
                    break
                draft.merge()
                head = batch.head
                if batch.entries:
                    meanwhile.run(partial(trips.make, self._writing(batch, before)))
                    attempt.entries = batch.entries
        attempt.outcomes.append(admission.error or _refusal_of(admission) or repeated)
        is_kept = head is not None and attempt.outcomes[-1] is repeated and not job.dry_run
        if not is_kept:
            attempt.entries = []
        trips.make([(COMMIT if is_kept else ROLLBACK, ())])

    def _prepared(self, proposal: Proposal) -> Pair:
        try:
            kind = self.registry.kind(proposal.kind)
            return proposal, Prepared.of(proposal, kind, self._mapper)
        except Refused as refusal:
            return proposal, refusal

    def _was_stored(self, entries: Sequence[Entry], error: Exception) -> bool:
        """Whether a commit whose acknowledgement was lost took place after all.

        The server may be at that commit still. Its session has the lock until it ends; so whoever
        has the lock after it sees what it left, and not before.
        """
        if not entries:
            return False
        try:
            connection = self._open_connection()
            with connection.transaction():
                connection.execute(LIMIT_WAIT, [LONGEST_WAIT])
                store.lock_head(connection)
                found = connection.execute(FIND_IDS, [[e.id for e in entries]]).fetchone()
        except (SecretariatError, psycopg.Error):
            raise NotKnown(
                f"the connection to the database broke ({one_line(error)}), and whether this was"
                " recorded could not be learned; ask again with the same idempotency key"
            ) from error
        return found is not None and found[0] == len(entries)

    def _open_connection(self) -> AnyConnection:
        if self._connection is None or self._connection.closed:
            self._connection, self._trips = self._connect(), None
        return self._connection

    def _prepared_trips(self, connection: AnyConnection) -> Trips:
        if self._trips is None:
            connection.execute(transaction.AS_PLANNED)
            self._trips, self._planned_at = Trips(connection), 0
        return self._trips

    def _discard_connection(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _read(self, trips: Trips, prepared: Sequence[Prepared], head: Head | None = None) -> Batch:
        """Take the lock, then read all that admitting `prepared` needs.

        With `head`, the lock was taken before in this transaction, which has come to that end.
        """
        ground = transaction.read(
            trips,
            self._mapper,
            ids={p.record_id for p in prepared},
            names={name for p in prepared for name in p.names()},
            asked={p.proposal.key_name for p in prepared if p.proposal.key_name is not None},
            is_begun=head is not None,
        )
        self._check_ground(ground)
        brought_back = transaction.brought_back(prepared, ground.entries)
        if brought_back:
            ground.is_open.update(transaction.open_records(trips, brought_back))
        return Batch(
            head=head or ground.head,
            zone=self.zone,
            mapper=self._mapper,
            histories=self._histories(prepared, ground.entries),
            is_open=ground.is_open,
            person_keys=ground.person_keys,
            answered=ground.answered,
            find_referring=lambda kind, key: transaction.referring(trips, kind, key),
        )

    def _check_ground(self, ground: Ground) -> None:
        """Raise `Unusable` if the read models or the home zone are not those of this writer."""
        if ground.rules not in {None, self._projection.rules}:
            raise Unusable(
                f"the read models were filled by rules {ground.rules}, and this program has rules"
                f" {self._projection.rules}: start it again, or run `secretariat rebuild`"
            )
        if ground.home_zone not in {None, self.zone.name}:
            raise Unusable(
                f"the ledger's home time zone is {ground.home_zone}, and this program goes by"
                f" {self.zone.name}: start it again"
            )

    def _histories(
        self, prepared: Iterable[Prepared], entries: Iterable[Entry]
    ) -> dict[RecordName, History]:
        by_record: dict[RecordName, list[Entry]] = {
            (p.proposal.kind, p.proposal.key): [] for p in prepared
        }
        for entry in entries:
            by_record[entry.kind, entry.key].append(entry)
        return {
            (kind, key): History.of(self.registry.kind(kind), key, theirs, self.zone)
            for (kind, key), theirs in by_record.items()
        }

    def _writing(self, batch: Batch, before: Mapping[RecordName, History]) -> list[Asked]:
        """What appends the batch's entries and brings what is derived from them up to date."""
        names = dict.fromkeys((entry.kind, entry.key) for entry in batch.entries)
        olds = [before[name] for name in names]
        news = [batch.histories[name] for name in names]
        changes = [
            RecordChange(new.kind.name, new.key, old.steps, new.growth)
            for old, new in zip(olds, news, strict=True)
        ]
        planning = self._planning(batch.head.position)
        return [*planning, transaction.write(batch, olds, news), *self._projection.project(changes)]

    def _planning(self, position: int) -> list[Asked]:
        """Have all statements planned anew whenever the log has doubled.

        Statistics would have it done, but there are none of what a transaction has written so far.
        """
        if position < 2 * self._planned_at:
            return []
        self._planned_at = position
        return [(DISCARD_PLANS, ())]


def _broken(error: Exception) -> Broke:
    why = f"the connection to the database broke ({one_line(error)})"
    return Broke(f"{why}, so nothing was recorded; try again")


def _given_up(error: Exception) -> GivenUp:
    why = f"the database gave up a statement ({one_line(error)})"
    return GivenUp(f"{why}, so nothing was recorded; try again")


def _is_worth_another_try(error: Exception, jobs: Sequence[Job]) -> bool:
    """Whether what failed may succeed, alone or over a new connection."""
    if isinstance(error, Broke):
        return True
    if len(jobs) == 1:
        return False
    return isinstance(error, GivenUp) or not isinstance(error, NotKnown | Unusable)


def _admit(batch: Batch, job: Job) -> list[Answer] | Exception:
    """Admit a set of proposals: its answers, or all its refusals."""
    admission = Admission(job.progress)
    draft = Draft.of(batch, admission.labels)
    answers = list(admission.admit(draft, ((p.proposal, p) for p in job.prepared)))
    problem = admission.error or _refusal_of(admission)
    if problem is not None:
        return problem
    if not job.dry_run:
        draft.merge()
    return answers


def _refusal_of(admission: Admission) -> SetRefused | None:
    """The refusal of a set, if it is refused."""
    return SetRefused(admission.refusals, admission.left_out) if admission.refusals else None
