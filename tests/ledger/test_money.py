"""Amounts and their currencies."""

from decimal import Decimal

import pytest

from ledger.money import check_amount, minor_units, parse_decimal
from ledger.refusal import Malformed, NotPermitted, Refused

# ISO 4217, List One, of what has another number of minor units than two.
MINOR_UNITS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
    # Afghani and rial are shown without decimals, and have minor units nevertheless.
    2: "USD EUR KZT AZN RUB CNY TRY AFN IRR UZS MGA MRU",
}


@pytest.mark.parametrize(
    ("currency", "decimals"),
    [(code, units) for units, codes in MINOR_UNITS.items() for code in codes.split()],
)
def test_minor_units_are_those_of_the_standard(currency: str, decimals: int) -> None:
    assert minor_units(currency) == decimals


@pytest.mark.parametrize("currency", ["", "usd", "US", "USDX", "US$", "ABC", "USD ", "доллар"])
def test_what_is_no_currency_is_refused(currency: str) -> None:
    with pytest.raises(Malformed) as refused:
        minor_units(currency)
    assert refused.value.field == "currency"
    assert refused.value.message == f"{currency!r} is not an ISO 4217 currency code such as USD"


@pytest.mark.parametrize(
    ("amount", "currency"),
    [
        ("0.01", "USD"),
        ("1973450", "USD"),
        ("1973450.5", "USD"),
        ("1", "JPY"),
        ("0.001", "KWD"),
        ("0.0001", "CLF"),
        ("1E+3", "JPY"),
        ("9" * 30 + ".99", "USD"),
    ],
)
def test_an_amount_as_precise_as_its_currency(amount: str, currency: str) -> None:
    check_amount(Decimal(amount), currency)


@pytest.mark.parametrize(
    ("amount", "currency", "decimals"),
    [
        ("0.001", "USD", 2),
        ("1.000", "USD", 2),
        ("0.5", "JPY", 0),
        ("0.0001", "KWD", 3),
        ("0.00001", "CLF", 4),
    ],
)
def test_no_amount_is_more_precise_than_its_currency(
    amount: str, currency: str, decimals: int
) -> None:
    with pytest.raises(Malformed) as refused:
        check_amount(Decimal(amount), currency)
    assert refused.value.field == "amount"
    assert refused.value.message == (
        f"{amount} is more precise than {currency}, which has {decimals} decimals"
    )


@pytest.mark.parametrize("amount", ["0", "0.00", "-0", "-0.01", "-5"])
def test_an_amount_is_more_than_zero(amount: str) -> None:
    with pytest.raises(NotPermitted) as refused:
        check_amount(Decimal(amount), "USD", field="pledge")
    assert refused.value.field == "pledge"
    assert refused.value.message == f"the amount must be more than zero, not {amount}"


@pytest.mark.parametrize("amount", ["NaN", "-NaN", "sNaN", "Infinity", "-Infinity"])
def test_what_is_no_number_is_no_amount(amount: str) -> None:
    with pytest.raises(Malformed, match=f"^{amount} is not an amount$"):
        check_amount(Decimal(amount), "USD")


@pytest.mark.parametrize(
    "text", ["0", "7", "-7", "1973450.00", "0.5", "007", "9" * 30, "0." + "1" * 10]
)
def test_a_decimal_number_is_read_as_it_is_written(text: str) -> None:
    number = parse_decimal(text)
    assert number == Decimal(text)
    assert number.as_tuple().exponent == -len(text.partition(".")[2])


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "-", ".", "+1", "--1", "1.", ".5", "1..2", "1.2.3", " 1", "1 ", "1\n"),
        *("1,000", "1 000", "1_000", "1'000", "1,5", "1e3", "1E+3", "0x10", "1/2", "$1", "1 USD"),
        *("NaN", "Infinity", "inf", "one", "١٢٣", "１２", "\x001", "9" * 31, "0." + "1" * 11),
    ],
)
def test_no_other_form_of_a_number_is_read(text: str) -> None:
    with pytest.raises(Refused) as refused:
        parse_decimal(text)
    assert refused.value.code == "MALFORMED"
    assert refused.value.message == f"{text!r} is not a decimal number such as 1973450.00"
