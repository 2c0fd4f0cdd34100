"""The admission of a set of proposals, of which one that is refused leaves the others be."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from ledger.admission import Answer, Draft, Prepared, RecordName, names_of
from ledger.entry import Proposal
from ledger.refusal import Refused


@dataclass(slots=True)
class Admission:
    """A set of proposals on its way in, and what is wrong with it so far.

    `error` is what its caller's `progress` raised, whatever that is.
    """

    progress: Callable[[int], None]
    labels: dict[str, int] = field(default_factory=dict)
    refusals: list[tuple[int, Refused]] = field(default_factory=list)
    at_fault: set[RecordName] = field(default_factory=set)
    left_out: int = 0
    count: int = 0
    error: Exception | None = None

    def admit(
        self, draft: Draft, items: Iterable[tuple[Proposal, Prepared | Refused]]
    ) -> Iterator[Answer]:
        """Take proposals into the draft, and yield the answers of those that may be recorded."""
        for proposal, prepared in items:
            index, self.count = self.count, self.count + 1
            name = (proposal.kind, proposal.key)
            if self.at_fault and not self.at_fault.isdisjoint((name, *names_of(proposal))):
                self.left_out += 1
                self.at_fault.add(name)
                continue
            try:
                if isinstance(prepared, Refused):
                    raise prepared
                key = prepared.person_key(draft.batch)
                yield draft.admit(proposal, *prepared.encoded(key, draft.batch.mapper))
            except Refused as refusal:
                self.refusals.append((index, refusal))
                self.at_fault.add(name)
            try:
                self.progress(self.count)
            except Exception as error:  # noqa: BLE001  # It is this caller's own doing.
                self.error = error
                return
