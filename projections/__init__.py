"""Read models: what each kind of record looks like, as of any day and any knowledge.

`TABLES` is one of the two lists that a new kind of record joins (schema/__init__.py has the other):
in the order of registration, what is referred to before what refers to it.
"""

from __future__ import annotations

from typing import Any

from ledger.kind import Registry
from projections.accounts import ACCOUNTS
from projections.bodies import BODIES
from projections.budgets import BUDGETS
from projections.contributions import CONTRIBUTIONS
from projections.persons import PERSONS
from projections.secondments import SECONDMENTS
from projections.states import STATES
from projections.timeline import RULES, Table

__all__ = ["REGISTRY", "RULES", "TABLES"]

TABLES: tuple[Table[Any], ...] = (
    STATES,
    BODIES,
    PERSONS,
    ACCOUNTS,
    BUDGETS,
    CONTRIBUTIONS,
    SECONDMENTS,
)

REGISTRY = Registry([table.kind for table in TABLES])
