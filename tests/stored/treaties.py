"""Examples of treaties, of those who take part in them, and of what these say."""

from __future__ import annotations

from decimal import Decimal

from ledger import (
    depositary_notifications,
    organizations,
    treaties,
    treaty_participants,
    treaty_statements,
)
from ledger.dates import parse_edtf
from ledger.entry_into_force import Instrument
from tests.stored.example import SOURCE, Example, said

EXAMPLES: dict[str, Example] = {
    "organization.registered": Example(
        kind="organization",
        key="EU",
        statement=said(
            organizations.Registered(name_en="European Union", name_ru="Европейский союз"),
            "1993-11-01",
        ),
    ),
    "organization.renamed": Example(
        kind="organization",
        key="OAPI",
        statement=said(organizations.Renamed(name_en="African organization"), "1999"),
    ),
    "treaty.opened": Example(
        kind="treaty",
        key="CPI",
        statement=said(
            treaties.Opened(
                title_en="Convention on Privileges and Immunities",
                depositary="SEC",
                clause="Article 9 (2)",
                instruments_required=14,
                instrument_kinds="ratification acceptance approval accession",
                organizations_counted=False,
                share_required=Decimal("55.5"),
                share_of="emissions",
                offset="P30D",
                party_offset="P60D first-of-next-month",
                denunciation_offset="P1Y",
            ),
            "2010-06-08",
            source=SOURCE,
            basis="public",
        ),
    ),
    "treaty.renamed": Example(
        kind="treaty",
        key="CPI",
        statement=said(treaties.Renamed(title_en="Convention on Immunities"), "2024"),
    ),
    "treaty.signed": Example(
        kind="treaty_participant",
        key="CPI-KAZ",
        statement=said(treaty_participants.Signed(treaty="CPI", state="KAZ"), "2010-06-08"),
    ),
    "instrument.deposited": Example(
        kind="treaty_participant",
        key="CPI-EU",
        statement=said(
            treaty_participants.Deposited(
                treaty="CPI",
                organization="EU",
                instrument=Instrument.FORMAL_CONFIRMATION,
                instrument_date=parse_edtf("2012-02"),
                takes_effect=parse_edtf("2011-12-31"),
                share=Decimal("12.10"),
            ),
            "2012-03-14",
            effective_text="on 14 March",
        ),
    ),
    "instrument.withdrawn": Example(
        kind="treaty_participant",
        key="CPI-KAZ",
        statement=said(treaty_participants.InstrumentWithdrawn(), "2013~"),
    ),
    "treaty.denounced": Example(
        kind="treaty_participant",
        key="CPI-KAZ",
        statement=said(
            treaty_participants.Denounced(takes_effect=parse_edtf("2025-01-01")), "2024-01-16"
        ),
    ),
    "denunciation.withdrawn": Example(
        kind="treaty_participant",
        key="CPI-KAZ",
        statement=said(treaty_participants.DenunciationWithdrawn(), "2024-06"),
    ),
    "reservation.formulated": Example(
        kind="treaty_statement",
        key="CPI-KAZ-R1",
        statement=said(
            treaty_statements.Formulated(
                treaty="CPI", state="KAZ", provisions="Article 4", text="Not bound."
            ),
            "2012-03-14",
        ),
    ),
    "declaration.made": Example(
        kind="treaty_statement",
        key="CPI-EU-D1",
        statement=said(
            treaty_statements.Made(treaty="CPI", organization="EU", text="Competent."), "2012"
        ),
    ),
    "objection.raised": Example(
        kind="treaty_statement",
        key="CPI-TUR-O1",
        statement=said(
            treaty_statements.Raised(
                treaty="CPI",
                state="TUR",
                objects_to="CPI-KAZ-R1",
                text="Incompatible with its object.",
                precludes_entry_into_force=True,
            ),
            "2013-03",
        ),
    ),
    "treaty_statement.modified": Example(
        kind="treaty_statement",
        key="CPI-KAZ-R1",
        statement=said(treaty_statements.Modified(text="Bound in part."), "2014"),
    ),
    "treaty_statement.withdrawn": Example(
        kind="treaty_statement",
        key="CPI-KAZ-R1",
        statement=said(treaty_statements.Withdrawn(), "2015-05-12"),
    ),
    "depositary_notification.circulated": Example(
        kind="depositary_notification",
        key="C.N.1.2012",
        statement=said(
            depositary_notifications.Circulated(
                treaty="CPI",
                subject=depositary_notifications.Subject.DEPOSIT,
                title_en="Ratification by Kazakhstan",
                state="KAZ",
                action_date=parse_edtf("2012-03-14"),
            ),
            "2012-03-20",
        ),
    ),
}
