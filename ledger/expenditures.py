"""Expenditures: money that was spent on a line of a budget, and what of it came back.

An expenditure belongs to the fiscal year whose budget it is charged to, whenever it was paid.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from decimal import Decimal

from ledger.accounts import AccountKey
from ledger.dates import check_year
from ledger.kind import Change, Kind, Opening, check_same
from ledger.money import check_amount
from ledger.refusal import Malformed, NotPermitted

# One case only, so that no two lines differ by it alone; as short as a code is.
_LINE = re.compile(r"[A-Z][A-Z0-9]*([-_.][A-Z0-9]+)*")
_LONGEST_LINE = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Expenditure:
    """What the rules below need to know."""

    currency: str
    spent: Decimal
    """What was spent and did not come back."""


class Incurred(
    Opening[Expenditure], stored_as="expenditure.incurred", personal=(), accomplished=True
):
    """Money was spent from an account; `line` is the code of the budget's line that bears it."""

    account: AccountKey
    fiscal_year: int
    line: str
    amount: Decimal
    currency: str

    def admit(self) -> None:
        check_year(self.fiscal_year)
        _check_line(self.line)
        check_amount(self.amount, self.currency)

    def begin(self) -> Expenditure:
        return Expenditure(currency=self.currency, spent=self.amount)


class Refunded(
    Change[Expenditure], stored_as="expenditure.refunded", personal=(), accomplished=True
):
    """Money that had been spent came back."""

    amount: Decimal
    currency: str

    def admit(self, current: Expenditure) -> None:
        check_amount(self.amount, self.currency)
        check_same("expenditure", "currency", self.currency, current.currency)
        if self.amount > current.spent:
            raise NotPermitted(
                f"{self.amount} can't be refunded of {current.spent} spent", field="amount"
            )

    def apply(self, current: Expenditure) -> Expenditure:
        return replace(current, spent=current.spent - self.amount)


EXPENDITURE = Kind(
    name="expenditure",
    family="finance",
    events=(Incurred, Refunded),
    key_column="expenditure",
    key_example="E-2023-STAFF-1",
)


def _check_line(line: str) -> None:
    if len(line) > _LONGEST_LINE or not _LINE.fullmatch(line):
        raise Malformed(
            f"{line[:60]!r} is not the code of a budget's line: it has at the most {_LONGEST_LINE}"
            " capital letters and digits, in parts joined by - _ or a point, as in STAFF",
            field="line",
        )
