"""The GraphQL schema: what may be asked, in one visible list."""

from __future__ import annotations

import strawberry
from strawberry.extensions import MaxTokensLimiter
from strawberry.schema.config import StrawberryConfig

from schema.accounts import Accounts
from schema.activities import Activities
from schema.audit_reports import AuditReports
from schema.bodies import Bodies
from schema.budgets import Budgets
from schema.contributions import Contributions
from schema.depositary_notifications import DepositaryNotifications
from schema.dimensions import Dimensions
from schema.errors import Schema
from schema.expenditures import Expenditures
from schema.financial_reports import FinancialReports
from schema.limits import Limits
from schema.operation import DocumentKept, OperationNamed
from schema.organizations import Organizations
from schema.persons import Persons
from schema.plans import Plans
from schema.priority_areas import PriorityAreas
from schema.query import LedgerPoint, Records, ledger
from schema.scalars import SCALARS
from schema.secondments import Secondments
from schema.states import States
from schema.treaties import Treaties
from schema.treaty_participants import TreatyParticipants
from schema.treaty_statements import TreatyStatements


# One of the two lists that a new kind of record joins; projections/__init__.py has the other.
@strawberry.type(description="What the ledger tells, seen as of one point in both times.")
class Ledger(
    LedgerPoint,
    States,
    Bodies,
    Persons,
    Accounts,
    Budgets,
    Contributions,
    Secondments,
    Dimensions,
    PriorityAreas,
    Plans,
    Activities,
    Organizations,
    Treaties,
    TreatyParticipants,
    TreatyStatements,
    DepositaryNotifications,
    Expenditures,
    FinancialReports,
    AuditReports,
):
    """What `Ledger` has, by the kinds of records."""


@strawberry.type(description="What may be asked.")
class Query(Records):
    ledger: Ledger = strawberry.field(
        resolver=ledger, description="Everything below is seen as of one point in both times."
    )


schema = Schema(
    query=Query,
    config=StrawberryConfig(scalar_map=SCALARS),
    extensions=[
        Limits,
        lambda: MaxTokensLimiter(max_token_count=5_000),
        OperationNamed,
        DocumentKept,
    ],
)
