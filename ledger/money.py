"""Amounts of money: a decimal with its currency, no more precise than the currency is.

Babel knows which codes there are. Its digits are CLDR's for display (none for the afghani, whose
minor unit exists), so the minor units are listed here as ISO 4217 has them: two, but for these.
"""

from __future__ import annotations

import re
from decimal import Decimal
from functools import cache

from babel.numbers import list_currencies

from ledger.refusal import Malformed, NotPermitted

_DECIMALS = {
    "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF": 0,
    "BHD IQD JOD KWD LYD OMR TND": 3,
    "CLF UYW": 4,
}
_MINOR_UNITS = {code: decimals for codes, decimals in _DECIMALS.items() for code in codes.split()}
_DECIMAL = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,10})?")


def parse_decimal(text: str) -> Decimal:
    """The number that `text` writes with a point, or `Malformed`: no exponent, no grouping."""
    if not _DECIMAL.fullmatch(text):
        raise Malformed(f"{text!r} is not a decimal number such as 1973450.00")
    return Decimal(text)


def minor_units(currency: str) -> int:
    """How many decimals amounts in `currency` have; `Malformed` if it isn't an ISO 4217 code."""
    if currency not in _currencies():
        raise Malformed(
            f"{currency!r} is not an ISO 4217 currency code such as USD", field="currency"
        )
    return _MINOR_UNITS.get(currency, 2)


def check_amount(amount: Decimal, currency: str, *, field: str = "amount") -> None:
    """Refuse an amount that isn't more than zero, or more precise than its currency."""
    decimals = minor_units(currency)
    if not amount.is_finite():
        raise Malformed(f"{amount} is not an amount", field=field)
    if amount <= 0:
        raise NotPermitted(f"the amount must be more than zero, not {amount}", field=field)
    exponent = amount.as_tuple().exponent
    assert isinstance(exponent, int), "a finite number has an exponent"
    if -exponent > decimals:
        raise Malformed(
            f"{amount} is more precise than {currency}, which has {decimals} decimals", field=field
        )


@cache
def _currencies() -> frozenset[str]:
    return frozenset(list_currencies())
