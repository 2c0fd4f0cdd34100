"""Examples of states, bodies, persons and secondments."""

from __future__ import annotations

from datetime import date

from ledger import bodies, persons, secondments, states
from ledger.dates import parse_edtf
from ledger.entry import Source
from tests.stored.example import SOURCE, Example, said

EXAMPLES: dict[str, Example] = {
    "state.admitted": Example(
        kind="state",
        key="KAZ",
        statement=said(
            states.Admitted(status=states.Status.MEMBER, name_en="Kazakhstan", name_ru="Казахстан"),
            "[1999-09-14..2002-06-04]",
            effective_text="founding member",
            source=SOURCE,
            basis="public",
            note='a note with "quotes", a \\ and a\nline end',
            registered_on=date(2002, 6, 5),
        ),
    ),
    "state.status_changed": Example(
        kind="state",
        key="TKM",
        statement=said(states.StatusChanged(status=states.Status.OBSERVER), "2021~"),
    ),
    "state.renamed": Example(
        kind="state",
        key="TUR",
        statement=said(states.Renamed(name_en="Türkiye"), "2022-06-01"),
    ),
    "body.established": Example(
        kind="body",
        key="SOC",
        statement=said(
            bodies.Established(
                name_en="Senior Officials Committee",
                category=bodies.Category.GOVERNING,
                operational=True,
            ),
            "1993/..",
            source=Source(document="CICA/1999/1"),
        ),
    ),
    "body.began_operating": Example(
        kind="body", key="YC", statement=said(bodies.BeganOperating(), "2019-04")
    ),
    "body.ceased_operating": Example(
        kind="body", key="YC", statement=said(bodies.CeasedOperating(), "2023-08-27/2023-08-29")
    ),
    "body.renamed": Example(
        kind="body",
        key="YC",
        statement=said(bodies.Renamed(name_en="Youth Council"), None, reason="misspelt"),
        corrects=7,
    ),
    "person.registered": Example(
        kind="person", key="P-001", statement=said(persons.Registered(name="Әйгерім"), "2023")
    ),
    "person.renamed": Example(
        kind="person", key="P-001", statement=said(persons.Renamed(name="Zoë 😀"), "2023-05-12")
    ),
    "secondee.joined": Example(
        kind="secondment",
        key="S-KAZ-2023-I",
        statement=said(
            secondments.Joined(
                person="P-001", state="KAZ", title="Director", until=parse_edtf("2024-08")
            ),
            "2023-08-01",
        ),
    ),
    "secondee.extended": Example(
        kind="secondment",
        key="S-KAZ-2023-I",
        statement=said(secondments.Extended(until=parse_edtf("2025")), "2024-07"),
    ),
    "secondee.left": Example(
        kind="secondment", key="S-KAZ-2023-I", statement=said(secondments.Left(), "2025-01-31")
    ),
}
