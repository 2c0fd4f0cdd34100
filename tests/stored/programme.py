"""Examples of plans and activities."""

from __future__ import annotations

from ledger import activities, dimensions, plans, priority_areas
from ledger.dates import parse_edtf
from tests.stored.example import SOURCE, Example, said

EXAMPLES: dict[str, Example] = {
    "dimension.defined": Example(
        kind="dimension",
        key="ECO",
        statement=said(dimensions.Defined(name_en="Economic"), "2021-10", basis="quoted"),
    ),
    "dimension.renamed": Example(
        kind="dimension",
        key="ECO",
        statement=said(dimensions.Renamed(name_en="Economic dimension"), "2024"),
    ),
    "priority_area.defined": Example(
        kind="priority_area",
        key="PA10",
        statement=said(
            priority_areas.Defined(number=10, dimension="ECO", name_en="Tourism"), "2021-10"
        ),
    ),
    "priority_area.renamed": Example(
        kind="priority_area",
        key="PA10",
        statement=said(priority_areas.Renamed(name_en="Travel and tourism"), "2024-01-01"),
    ),
    "plan.adopted": Example(
        kind="plan",
        key="PLAN-2023",
        statement=said(
            plans.Adopted(year=2023, adopted_by="SOC", items=41), "2022-12", source=SOURCE
        ),
    ),
    "plan.revised": Example(
        kind="plan",
        key="PLAN-2023",
        statement=said(plans.Revised(items=30, decided_by="MC"), "2023-06-15"),
    ),
    "activity.planned": Example(
        kind="activity",
        key="CBM-2023-10",
        statement=said(
            activities.Planned(
                plan="PLAN-2023",
                category=activities.Category.CBM_EVENT,
                body="EXPERT",
                area="PA16",
                organizer="BGD",
                organizer_role=activities.OrganizerRole.CO_COORDINATOR,
                title_en="Seminar on disaster resilience",
                planned_dates=parse_edtf("2023-05-30/2023-05-31"),
            ),
            "2022-12",
        ),
    ),
    "activity.rescheduled": Example(
        kind="activity",
        key="CBM-2023-10",
        statement=said(
            activities.Rescheduled(
                from_dates=parse_edtf("2023-05-30/2023-05-31"),
                to_dates=parse_edtf("2023-06~"),
                reason="at the host's wish",
            ),
            "2023-05-02",
            note="by letter",
        ),
    ),
    "activity.postponed": Example(
        kind="activity",
        key="CBM-2023-10",
        statement=said(activities.Postponed(reason="no venue"), "2023-06-01"),
    ),
    "activity.cancelled": Example(
        kind="activity",
        key="ITEM-2023-01",
        statement=said(activities.Cancelled(reason="merged with another"), "2023-11"),
    ),
    "activity.held": Example(
        kind="activity",
        key="TTF-2023-11",
        statement=said(
            activities.Held(
                title_en="Think Tank Forum, eleventh meeting",
                format=activities.Format.HYBRID,
                place="Xining",
                participants=67,
                participants_qualifier=activities.Qualifier.OVER,
                states=20,
            ),
            "2023-08-27/2023-08-29",
            source=SOURCE,
        ),
    ),
}
