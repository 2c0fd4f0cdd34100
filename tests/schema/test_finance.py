"""What was collected and spent, of the example register: the report's figures, and what moves them.

Each figure names its entries, so that whoever doubts it can add them up.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, NamedTuple

import pytest

from ledger import accounts, budgets, contributions, expenditures, importing, states
from ledger.kind import AnyEvent
from ledger.record import Ledger
from projections import REGISTRY
from tests.projections.register import ZONE, annulled, opened_ledger, proposed
from tests.schema.conftest import EXAMPLE, prepared_database
from tests.schema.reader import Reader, reading

REPORT = {"effectiveOn": "2023-12-07", "knownAt": "2023-12-07"}

RATIO = """{
    value low high
    numerator { amount low high currency } denominator { amount low high currency }
    entries(first: 1000) { totalCount nodes { type key isLive body } }
}"""

BUDGET = f"""budget(fiscalYear: 2023) {{
    amount {{ amount currency }} originalAmount {{ amount currency }} revised {{ edtf latest }}
    decidedBy {{ key }} collectionRate {RATIO} expensesCovered {RATIO}
}}"""

SIGNS = {
    "contribution.received": ("receipts", 1),
    "contribution.returned": ("receipts", -1),
    "expenditure.incurred": ("expenses", 1),
    "expenditure.refunded": ("expenses", -1),
}


def budget_of(reader: Reader, **as_of: Any) -> Any:
    """The budget of 2023 with its ratios."""
    return reader.ledger(BUDGET, **as_of)["budget"]


def added_up(ratio: Any, side: str) -> Decimal:
    """What the live entries that a ratio names come to, on the side of the money in or out."""
    total = Decimal(0)
    for entry in ratio["entries"]["nodes"]:
        of, sign = SIGNS.get(entry["type"], ("budget", 0))
        if entry["isLive"] and of == side:
            total += sign * Decimal(entry["body"]["amount"])
    return total


def exactly(amount: str) -> dict[str, str]:
    """The amount in US dollars where the dates leave no doubt."""
    return {"amount": amount, "low": amount, "high": amount, "currency": "USD"}


def percent(value: str) -> str:
    """As reports round: half up."""
    return str((Decimal(value) * 100).quantize(Decimal(1), ROUND_HALF_UP))


# ---------------------------------------------------------------- the report's figures


def test_the_collection_rate_of_2023(example: Reader) -> None:
    rate = budget_of(example, **REPORT)["collectionRate"]
    assert (rate["numerator"], rate["denominator"]) == (
        exactly("1973450.00"),
        exactly("2860000.00"),
    )
    assert rate["value"] == rate["low"] == rate["high"] == "0.6900174825"
    assert percent(rate["value"]) == "69"


def test_how_much_of_the_expenses_receipts_cover(example: Reader) -> None:
    covered = budget_of(example, **REPORT)["expensesCovered"]
    assert (covered["numerator"], covered["denominator"]) == (
        exactly("1973450.00"),
        exactly("2077316.00"),
    )
    assert covered["value"] == covered["low"] == covered["high"] == "0.9499999037"
    assert percent(covered["value"]) == "95"


def test_the_entries_named_add_up_to_the_figures(example: Reader) -> None:
    budget = budget_of(example, **REPORT)
    rate, covered = budget["collectionRate"], budget["expensesCovered"]
    assert [entry["key"] for entry in rate["entries"]["nodes"]] == [
        "2023",
        *(f"C-2023-{state}" for state in ("KAZ", "CHN", "ARE", "TUR", "TJK")),
    ]
    assert added_up(rate, "receipts") == added_up(covered, "receipts") == Decimal("1973450.00")
    (approved,) = (e for e in rate["entries"]["nodes"] if e["type"] == "budget.approved")
    assert approved["body"]["amount"] == "2860000.00"
    assert added_up(covered, "expenses") == Decimal("2077316.00")
    assert covered["entries"]["totalCount"] == str(5 + 24)


def test_the_entries_of_a_figure_come_in_pages(example: Reader) -> None:
    page = """budget(fiscalYear: 2023) { collectionRate { entries(%s) {
        totalCount edges { cursor node { key } } pageInfo { hasNextPage hasPreviousPage }
    } } }"""

    def entries(asked: str) -> Any:
        return example.ledger(page % asked, **REPORT)["budget"]["collectionRate"]["entries"]

    first = entries("first: 4")
    after = entries(f'first: 4, after: "{first["edges"][-1]["cursor"]}"')
    last = entries(f'last: 1, before: "{first["edges"][1]["cursor"]}"')
    assert [[edge["node"]["key"] for edge in found["edges"]] for found in (first, after, last)] == [
        ["2023", "C-2023-KAZ", "C-2023-CHN", "C-2023-ARE"],
        ["C-2023-TUR", "C-2023-TJK"],
        ["2023"],
    ]
    assert first["pageInfo"] == {"hasNextPage": True, "hasPreviousPage": False}
    assert {found["totalCount"] for found in (first, after, last)} == {"6"}


# What was received, what was spent, and the two ratios.
EARLIER = [
    ("2023-01-15", "2023-12-07", "0", "0", "0", None),
    ("2023-02-15", "2023-02-15", "1450000.00", "0", "0.5069930070", None),
    ("2023-06-30", "2023-12-07", "1880000.00", "1038600.00", "0.6573426573", "1.8101290198"),
    ("2023-12-07", "2023-06-30", "1880000.00", "1038600.00", "0.6573426573", "1.8101290198"),
    ("2023-11-29", "2023-12-07", "1973450.00", "1557900.00", "0.6900174825", "1.2667372745"),
]


@pytest.mark.parametrize(("day", "known", "received", "spent", "rate", "covered"), EARLIER)
def test_earlier_in_the_year(
    example: Reader,
    *,
    day: str,
    known: str,
    received: str,
    spent: str,
    rate: str,
    covered: str | None,
) -> None:
    budget = budget_of(example, effectiveOn=day, knownAt=known)
    collected, covers = budget["collectionRate"], budget["expensesCovered"]
    assert collected["numerator"] == covers["numerator"] == exactly(received)
    assert collected["denominator"] == exactly("2860000.00")
    assert covers["denominator"] == exactly(spent)
    assert [Decimal(collected[part]) for part in ("value", "low", "high")] == [Decimal(rate)] * 3
    assert [covers[part] for part in ("value", "low", "high")] == [covered] * 3
    assert added_up(covers, "receipts") == Decimal(received)
    assert added_up(covers, "expenses") == Decimal(spent)


def test_a_year_without_a_budget_has_no_ratio(example: Reader) -> None:
    assert example.ledger("budget(fiscalYear: 2022) { collectionRate { value } }", **REPORT) == {
        "budget": None
    }


def test_both_ratios_with_their_entries_take_one_statement(example: Reader) -> None:
    document = f"query ($asOf: AsOf) {{ ledger(asOf: $asOf) {{ {BUDGET} }} }}"
    assert example.ask(document, asOf=REPORT).statements == 2


# ---------------------------------------------------------------- what was spent


def test_what_was_spent_by_line(example: Reader) -> None:
    totals = example.ledger(
        "expenditureTotals(by: [LINE], filter: {fiscalYear: 2023}) { line fiscalYear"
        " account { key } currency expenditures { certain possible } net { amount low high } }",
        **REPORT,
    )["expenditureTotals"]
    assert {total["line"]: total["net"]["amount"] for total in totals} == {
        "STAFF": "1180000.00",
        "TRAVEL": "290000.00",
        "PREMISES": "260000.00",
        "EVENTS": "210000.00",
        "COMMUNICATIONS": "97316.00",
        "AUDIT": "40000.00",
    }
    assert [total["line"] for total in totals][:2] == ["STAFF", "TRAVEL"], "the greatest first"
    for total in totals:
        assert total["expenditures"] == {"certain": 4, "possible": 4}
        assert (total["currency"], total["fiscalYear"], total["account"]) == ("USD", None, None)
        assert set(total["net"].values()) == {total["net"]["amount"]}


def test_expenditures_of_a_quarter(example: Reader) -> None:
    found = example.ledger(
        'expenditures(filter: {incurredFrom: "2023-06-01", incurredTo: "2023-06-30"},'
        " orderBy: SPENT, last: 1) { totalCount { certain possible } nodes {"
        " key line fiscalYear account { key } spent { amount } refunded { amount } net { amount }"
        " incurred { edtf } lastRefunded { edtf } } }",
        **REPORT,
    )["expenditures"]
    assert found == {
        "totalCount": {"certain": 6, "possible": 6},
        "nodes": [
            {
                "key": "E-2023-STAFF-2",
                "line": "STAFF",
                "fiscalYear": 2023,
                "account": {"key": "MAIN"},
                "spent": {"amount": "295000.00"},
                "refunded": {"amount": "0"},
                "net": {"amount": "295000.00"},
                "incurred": {"edtf": "2023-06-30"},
                "lastRefunded": None,
            }
        ],
    }


# ---------------------------------------------------------------- reports


def test_the_financial_report_is_for_a_year_and_no_period(example: Reader) -> None:
    found = example.ledger(
        "financialReports { nodes { key fiscalYear period { start end } issued { edtf }"
        " consideredBy { key held { edtf } } } }"
        ' day: financialReports(filter: {covers: "2022-06-30"}) { totalCount { possible } }'
        " year: financialReports(filter: {fiscalYear: 2022}) { totalCount { certain } }",
        **REPORT,
    )
    assert found["financialReports"]["nodes"] == [
        {
            "key": "FIN-2022",
            "fiscalYear": 2022,
            "period": None,
            "issued": {"edtf": "2023-04-19"},
            "consideredBy": {"key": "SOC-2023-1", "held": {"edtf": "2023-04-19"}},
        }
    ]
    assert found["day"]["totalCount"] == {"possible": 0}
    assert found["year"]["totalCount"] == {"certain": 1}


@pytest.mark.parametrize(
    ("day", "covered"),
    [
        ("2020-09-30", False),
        ("2020-10-01", True),
        ("2022-12-31", True),
        ("2023-01-01", False),
    ],
)
def test_the_audit_covers_its_period(example: Reader, *, day: str, covered: bool) -> None:
    found = example.ledger(
        f'auditReports(filter: {{covers: "{day}"}}) {{ nodes {{ key auditor'
        " period { start end } consideredBy { key } } }",
        **REPORT,
    )["auditReports"]["nodes"]
    audit = {
        "key": "AUDIT-2020-2022",
        "auditor": "external auditor",
        "period": {"start": "2020-10-01", "end": "2022-12-31"},
        "consideredBy": {"key": "SOC-2023-1"},
    }
    assert found == ([audit] if covered else [])


# ---------------------------------------------------------------- what moves the figures


class Changed(NamedTuple):
    """The example register with further entries, and the position of each by what it did."""

    reader: Reader
    positions: dict[str, int]

    def budget(self, known: str, day: str = "2024-01-31") -> Any:
        """The budget of 2023 as known once that was recorded."""
        return budget_of(self.reader, effectiveOn=day, position=str(self.positions[known]))


USD = "USD"

CHANGES: list[tuple[str, str, str, AnyEvent, str]] = [
    (
        "returned",
        "contribution",
        "C-2023-TJK",
        contributions.Returned(amount=Decimal("3450.00"), currency=USD),
        "2023-12-10",
    ),
    (
        "refunded",
        "expenditure",
        "E-2023-EVENTS-4",
        expenditures.Refunded(amount=Decimal("2316.00"), currency=USD),
        "2023-12-11",
    ),
    (
        "revised",
        "budget",
        "2023",
        budgets.Revised(amount=Decimal("2500000.00"), currency=USD, decided_by="MC"),
        "2023-12-12",
    ),
]


def in_main(state: str, year: int, amount: str, currency: str = USD) -> contributions.Received:
    """Money that came in on the main account."""
    return contributions.Received(
        account="MAIN", state=state, fiscal_year=year, amount=Decimal(amount), currency=currency
    )


@pytest.fixture(scope="module")
def changed(server_url: str, migrated_template: str) -> Iterator[Changed]:
    """The example register, to which everything below was added live."""
    with prepared_database(server_url, migrated_template) as url:
        now = datetime.now(UTC)
        register = importing.read_register(EXAMPLE, REGISTRY, ZONE, principal="import", now=now)
        with opened_ledger(url) as ledger:
            importing.record_register(ledger, register)
            positions = recorded(ledger)
        with reading(url) as reader:
            yield Changed(reader, positions)


def recorded(ledger: Ledger) -> dict[str, int]:
    """Record the changes one after another; return where each stands."""
    positions = {
        name: ledger.record(proposed(kind, key, event, day)).entry.position
        for name, kind, key, event, day in CHANGES
    }
    positions["imported"] = positions["returned"] - 1
    for name, key, event in (
        ("in another currency", "C-2023-KGZ-1", in_main("KGZ", 2023, "5000.00", "KZT")),
        ("for another year", "C-2024-KGZ", in_main("KGZ", 2024, "5000.00")),
        ("not dated exactly", "C-2023-KGZ-2", in_main("KGZ", 2023, "20000.00")),
    ):
        coarse = proposed("contribution", key, event, "2024-01")
        positions[name] = ledger.record(coarse).entry.position
    taken_out = ledger.record(annulled("contribution", "C-2023-TUR", 1))
    positions["annulled"] = taken_out.entry.position
    return positions


def test_what_went_back_is_no_receipt(changed: Changed) -> None:
    before, after = changed.budget("imported"), changed.budget("returned")
    assert before["collectionRate"]["numerator"] == exactly("1973450.00")
    assert after["collectionRate"]["numerator"] == exactly("1970000.00")
    assert after["expensesCovered"]["numerator"] == exactly("1970000.00")
    assert added_up(after["collectionRate"], "receipts") == Decimal("1970000.00")
    # Until it went back, it was there.
    eve = changed.budget("returned", day="2023-12-09")
    assert eve["collectionRate"]["numerator"] == exactly("1973450.00")


def test_what_was_refunded_is_no_expense(changed: Changed) -> None:
    before, after = changed.budget("returned"), changed.budget("refunded")
    assert before["expensesCovered"]["denominator"] == exactly("2077316.00")
    assert after["expensesCovered"]["denominator"] == exactly("2075000.00")
    assert after["expensesCovered"]["value"] == "0.9493975904"
    assert added_up(after["expensesCovered"], "expenses") == Decimal("2075000.00")
    assert after["collectionRate"] == before["collectionRate"]


def test_a_revised_budget_is_what_is_collected_for(changed: Changed) -> None:
    before, after = changed.budget("refunded"), changed.budget("revised")
    assert before["amount"] == before["originalAmount"] == after["originalAmount"]
    assert (before["revised"], before["decidedBy"]) == (None, {"key": "SOC"})
    assert after["amount"] == {"amount": "2500000.00", "currency": "USD"}
    assert after["revised"] == {"edtf": "2023-12-12", "latest": "2023-12-12"}
    assert after["decidedBy"] == {"key": "MC"}
    assert before["collectionRate"]["value"] == "0.6888111888"
    assert after["collectionRate"]["value"] == "0.7880000000"
    of_budget = [e for e in after["collectionRate"]["entries"]["nodes"] if e["key"] == "2023"]
    assert [entry["type"] for entry in of_budget] == ["budget.approved", "budget.revised"]
    assert after["expensesCovered"] == before["expensesCovered"]
    # The budget as it was on the day before.
    eve = changed.budget("revised", day="2023-12-11")
    assert eve["amount"] == before["amount"]
    assert eve["collectionRate"]["denominator"] == exactly("2860000.00")


@pytest.mark.parametrize("other", ["in another currency", "for another year"])
def test_what_is_of_another_currency_or_year_is_left_out(changed: Changed, other: str) -> None:
    before, after = changed.budget("revised"), changed.budget(other)
    assert after == before


def test_a_date_that_is_not_exact_makes_a_range(changed: Changed) -> None:
    within = changed.budget("not dated exactly", day="2024-01-15")["collectionRate"]
    assert within["numerator"] == {
        "amount": "1970000.00",
        "low": "1970000.00",
        "high": "1990000.00",
        "currency": "USD",
    }
    assert [within[part] for part in ("value", "low", "high")] == [
        "0.7880000000",
        "0.7880000000",
        "0.7960000000",
    ]
    assert "C-2023-KGZ-2" in {entry["key"] for entry in within["entries"]["nodes"]}
    before = changed.budget("not dated exactly", day="2023-12-31")["collectionRate"]
    assert before["numerator"] == exactly("1970000.00")
    assert "C-2023-KGZ-2" not in {entry["key"] for entry in before["entries"]["nodes"]}
    after = changed.budget("not dated exactly")["collectionRate"]
    assert after["numerator"] == exactly("1990000.00")


def test_an_annulment_takes_a_receipt_out_from_then_on(changed: Changed) -> None:
    before, after = changed.budget("not dated exactly"), changed.budget("annulled")
    assert before["collectionRate"]["numerator"] == exactly("1990000.00")
    assert after["collectionRate"]["numerator"] == exactly("1910000.00")
    assert after["expensesCovered"]["numerator"] == exactly("1910000.00")
    assert added_up(after["collectionRate"], "receipts") == Decimal("1910000.00")
    assert "C-2023-TUR" in {e["key"] for e in before["collectionRate"]["entries"]["nodes"]}
    assert "C-2023-TUR" not in {e["key"] for e in after["collectionRate"]["entries"]["nodes"]}
    # What was answered before is answered for ever.
    assert changed.budget("imported")["collectionRate"]["numerator"] == exactly("1973450.00")
    assert budget_of(changed.reader, **REPORT)["collectionRate"]["value"] == "0.6900174825"


# ---------------------------------------------------------------- funds


def test_the_money_of_a_fund_is_not_another_budgets(database: str) -> None:
    """Of the year 100 came to the general fund and 900 to the other, whose budget is its own."""
    approved = [
        ("2023", "1000", "GENERAL"),
        ("2023-ALL", "2000", None),
        ("2023-FUND", "1000", "CICA"),
    ]
    member = states.Admitted(status=states.Status.MEMBER, name_en="Kazakhstan")
    with opened_ledger(database) as ledger:
        ledger.record(proposed("state", "KAZ", member, "1999"))
        for key, fund in (("MAIN", "GENERAL"), ("FUND", "CICA")):
            opened = accounts.Opened(fund=fund, currency=USD)
            ledger.record(proposed("account", key, opened, "2006"))
        for key, amount, of_fund in approved:
            event = budgets.Approved(amount=Decimal(amount), currency=USD, fund=of_fund)
            ledger.record(proposed("budget", key, event, "2022-12-01"))
        for key, amount in (("MAIN", "100"), ("FUND", "900")):
            event_in = contributions.Received(
                account=key, state="KAZ", fiscal_year=2023, amount=Decimal(amount), currency=USD
            )
            ledger.record(proposed("contribution", f"C-{key}", event_in, "2023-05-12"))
    with reading(database) as reader:
        selected = "budgets { nodes { key fund fiscalYear collectionRate { value } } }"
        nodes = reader.ledger(selected)["budgets"]["nodes"]
    assert [tuple(node.values()) for node in nodes] == [
        ("2023", "GENERAL", 2023, {"value": "0.1000000000"}),
        ("2023-ALL", None, 2023, {"value": "0.5000000000"}),
        ("2023-FUND", "CICA", 2023, {"value": "0.9000000000"}),
    ]
