"""Read models: what each kind of record looks like, as of any day and any knowledge.

`TABLES` is one of the two lists that a new kind of record joins (schema/__init__.py has the other):
in the order of registration, what is referred to before what refers to it.
"""

from __future__ import annotations

from typing import Any

from ledger.kind import Registry
from projections.accounts import ACCOUNTS
from projections.activities import ACTIVITIES
from projections.audit_reports import AUDIT_REPORTS
from projections.bodies import BODIES
from projections.budgets import BUDGETS
from projections.contributions import CONTRIBUTIONS
from projections.depositary_notifications import DEPOSITARY_NOTIFICATIONS
from projections.dimensions import DIMENSIONS
from projections.expenditures import EXPENDITURES
from projections.financial_reports import FINANCIAL_REPORTS
from projections.organizations import ORGANIZATIONS
from projections.persons import PERSONS
from projections.plans import PLANS
from projections.priority_areas import PRIORITY_AREAS
from projections.secondments import SECONDMENTS
from projections.states import STATES
from projections.timeline import RULES, Table
from projections.treaties import TREATIES
from projections.treaty_participants import TREATY_PARTICIPANTS
from projections.treaty_statements import TREATY_STATEMENTS

__all__ = ["REGISTRY", "RULES", "TABLES"]

TABLES: tuple[Table[Any], ...] = (
    STATES,
    BODIES,
    PERSONS,
    ACCOUNTS,
    BUDGETS,
    CONTRIBUTIONS,
    SECONDMENTS,
    DIMENSIONS,
    PRIORITY_AREAS,
    PLANS,
    ACTIVITIES,
    ORGANIZATIONS,
    TREATIES,
    TREATY_PARTICIPANTS,
    TREATY_STATEMENTS,
    DEPOSITARY_NOTIFICATIONS,
    EXPENDITURES,
    FINANCIAL_REPORTS,
    AUDIT_REPORTS,
)

REGISTRY = Registry([table.kind for table in TABLES])
