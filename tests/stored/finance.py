"""Examples of money that came in and went out."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from ledger import accounts, audit_reports, budgets, contributions, expenditures, financial_reports
from tests.stored.example import SOURCE, Example, said

EXAMPLES: dict[str, Example] = {
    "bank_account.opened": Example(
        kind="account",
        key="MAIN",
        statement=said(accounts.Opened(fund="General", currency="USD"), "2006"),
    ),
    "bank_account.closed": Example(
        kind="account", key="MAIN", statement=said(accounts.Closed(), "2023-12-31")
    ),
    "budget.approved": Example(
        kind="budget",
        key="2023",
        statement=said(
            budgets.Approved(amount=Decimal("1973450.00"), currency="USD", decided_by="SOC"),
            "2022-12-07",
            basis="quoted",
        ),
    ),
    "contribution.pledged": Example(
        kind="contribution",
        key="C-2023-KAZ",
        statement=said(
            contributions.Pledged(
                state="KAZ", fiscal_year=2023, amount=Decimal(500), currency="KZT", account="MAIN"
            ),
            "2023-01~",
        ),
    ),
    "contribution.received": Example(
        kind="contribution",
        key="C-2023-KAZ",
        statement=said(
            contributions.Received(
                account="MAIN",
                state="KAZ",
                fiscal_year=2023,
                amount=Decimal("10.50"),
                currency="USD",
            ),
            "2023-05-12",
            source=SOURCE,
        ),
    ),
    "contribution.returned": Example(
        kind="contribution",
        key="C-2023-KAZ",
        statement=said(contributions.Returned(amount=Decimal("0.01"), currency="USD"), "2023-06"),
    ),
    "budget.revised": Example(
        kind="budget",
        key="2023",
        statement=said(
            budgets.Revised(amount=Decimal("2100000.00"), currency="USD", decided_by="MC"),
            "2023-06-15",
            reason="a new plan",
        ),
    ),
    "expenditure.incurred": Example(
        kind="expenditure",
        key="E-2023-STAFF-1",
        statement=said(
            expenditures.Incurred(
                account="MAIN",
                fiscal_year=2023,
                line="STAFF",
                amount=Decimal("295000.00"),
                currency="USD",
            ),
            "2023-03-31",
            source=SOURCE,
        ),
    ),
    "expenditure.refunded": Example(
        kind="expenditure",
        key="E-2023-STAFF-1",
        statement=said(expenditures.Refunded(amount=Decimal("12.50"), currency="USD"), "2023-04~"),
    ),
    "financial_report.issued": Example(
        kind="financial_report",
        key="FIN-2022",
        statement=said(
            financial_reports.Issued(fiscal_year=2022, considered_by="SOC-2023-1"), "2023-04-19"
        ),
    ),
    "audit_report.issued": Example(
        kind="audit_report",
        key="AUDIT-2020-2022",
        statement=said(
            audit_reports.Issued(
                auditor="external auditor",
                period_start=date(2020, 10, 1),
                period_end=date(2022, 12, 31),
            ),
            "2023-04-19",
            basis="quoted",
        ),
    ),
}
