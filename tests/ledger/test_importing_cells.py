"""What the cells of a register mean."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from ledger.entry import Source
from ledger.importing import ImportRefused, Row, read_register
from ledger.kind import Kind, Opening, Registry
from tests.ledger.recording import ZONE
from tests.ledger.registers import NOW, complaints, read, receipt, written


@pytest.mark.parametrize(
    ("text", "document", "locator"),
    [
        ("SOC/1481 s.5", "SOC/1481", "s.5"),
        ("SOC/1481 p.12", "SOC/1481", "p.12"),
        ("SOC/1481 pp.3-4", "SOC/1481", "pp.3-4"),
        ("SOC/1481 pp.3–4", "SOC/1481", "pp.3–4"),
        ("Rules of Procedure para.7", "Rules of Procedure", "para.7"),
        ("Charter Art.9(2)", "Charter", "Art.9(2)"),
        ("Charter annex.II", "Charter", "annex.II"),
        ("Charter Art.9 para.2", "Charter", "Art.9 para.2"),
        ("public record", "public record", None),
        ("s.5", "s.5", None),
        ("SOC/1481  s.5", "SOC/1481  s.5", None),
        ("SOC/1481 s.", "SOC/1481 s.", None),
        ("SOC/1481 section.5", "SOC/1481 section.5", None),
        ("SOC/1481s.5", "SOC/1481s.5", None),
    ],
)
def test_sources(tmp_path: Path, text: str, document: str, locator: str | None) -> None:
    folder = written(tmp_path, {"contribution_received": receipt(source=text)})
    [row] = read(folder).rows
    assert row.proposal.statement.source == Source(document=document, locator=locator)


@pytest.mark.parametrize("locator", ["", "s.5 to s.7"])
def test_a_column_for_locators_leaves_sources_whole(tmp_path: Path, locator: str) -> None:
    text = receipt(source="Letter on p.1", locator=locator)
    [row] = read(written(tmp_path, {"contribution_received": text})).rows
    source = Source(document="Letter on p.1", locator=locator or None)
    assert row.proposal.statement.source == source


@pytest.mark.parametrize(
    ("cell", "moment", "day"),
    [
        ("2023-12-31", datetime(2023, 12, 31, tzinfo=UTC), date(2023, 12, 31)),
        ("2024-01-15", datetime(2024, 1, 15, tzinfo=UTC), date(2024, 1, 15)),
        (
            "2023-12-31T23:30:00+06:00",
            datetime(2023, 12, 31, 17, 30, tzinfo=UTC),
            date(2023, 12, 31),
        ),
        ("2023-12-31T23:30Z", datetime(2023, 12, 31, 23, 30, tzinfo=UTC), date(2024, 1, 1)),
        ("2024-01-15T12:00:00Z", datetime(2024, 1, 15, 12, tzinfo=UTC), date(2024, 1, 15)),
        ("", None, None),
    ],
)
def test_moments_of_recording(
    tmp_path: Path, cell: str, moment: datetime | None, day: date | None
) -> None:
    folder = written(tmp_path, {"contribution_received": receipt(recorded_on=cell)})
    [row] = read(folder).rows
    assert (row.proposal.recorded_on, row.proposal.statement.registered_on) == (moment, None)
    [late] = read(folder, late=True).rows
    assert (late.proposal.recorded_on, late.proposal.statement.registered_on) == (None, day)


def test_an_annulment_has_no_fields(tmp_path: Path) -> None:
    text = (
        "contribution,annuls,reason,effective,amount\n"
        "C-1,contribution/C-1/1,entered twice,,\n"
        "C-1,contribution/C-1/2,,,10.00\n"
        "C-1,,,2023,10.00\n"
    )
    column = "this column is missing, and only annulments do without it"
    assert complaints(written(tmp_path, {"contribution_received": text})) == [
        "contribution_received.csv:3: amount '10.00': an annulment leaves this empty",
        f"contribution_received.csv:4: account: {column}",
        f"contribution_received.csv:4: state: {column}",
        f"contribution_received.csv:4: fiscal_year: {column}",
        f"contribution_received.csv:4: currency: {column}",
    ]
    lines = text.splitlines(keepends=True)
    [row] = read(written(tmp_path, {"contribution_received": "".join(lines[:2])})).rows
    assert row.proposal.statement.event is None
    assert row.proposal.statement.effective is None
    assert row.proposal.statement.reason == "entered twice"
    assert row.proposal.annuls == "contribution/C-1/1"


def test_a_correction_has_all_its_fields_and_may_keep_its_date(tmp_path: Path) -> None:
    text = receipt(corrects="contribution/C-1/1", effective="")
    [row] = read(written(tmp_path, {"contribution_received": text})).rows
    assert (row.proposal.corrects, row.proposal.statement.effective) == ("contribution/C-1/1", None)
    assert row.proposal.statement.event is not None


def test_marks_line_ends_and_quotes_make_no_difference(tmp_path: Path) -> None:
    text = receipt(note="one\ntwo")
    plain = read(written(tmp_path / "plain", {"contribution_received": text}))
    marked = "\ufeff" + text.replace("\n", "\r\n")
    read_marked = read(written(tmp_path / "marked", {"contribution_received": marked}))
    assert ([*read_marked.rows], read_marked.files) == ([*plain.rows], plain.files)


# ---------------------------------------------------------------- kinds to come


class Planned(Opening[str], stored_as="meeting.planned", personal=()):
    """A meeting on an exact day; its own `reason` stands in a column that every file has."""

    reason: str
    day: date

    def begin(self) -> str:
        return self.reason


MEETING = Kind(
    name="meeting", family="test", events=(Planned,), key_column="meeting", key_example="M-1"
)


def read_meetings(folder: Path, *rows: str) -> list[Row]:
    text = "\n".join(("meeting,effective,reason,day,annuls", *rows, ""))
    register = read_register(
        written(folder, {"meeting_planned": text}),
        Registry([MEETING]),
        ZONE,
        principal="importer",
        now=NOW,
    )
    return [*register.rows]


def test_a_field_takes_the_column_of_its_name_but_from_annulments(tmp_path: Path) -> None:
    rows = read_meetings(tmp_path, "M-1,2023,custom,2023-05-12,", "M-1,,by mistake,,meeting/M-1/1")
    planned, annulled = (row.proposal.statement for row in rows)
    assert planned.event == Planned(reason="custom", day=date(2023, 5, 12))
    assert (planned.reason, annulled.event, annulled.reason) == (None, None, "by mistake")


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("20230512", "it has another form"),
        ("2023-W19-5", "it has another form"),
        ("2023-02-30", "day is out of range for month"),
    ],
)
def test_a_field_that_is_an_exact_day(tmp_path: Path, cell: str, reason: str) -> None:
    with pytest.raises(ImportRefused) as refused:
        read_meetings(tmp_path, f"M-1,2023,x,{cell},")
    [problem] = refused.value.problems
    assert (problem.column, problem.value) == ("day", cell)
    assert problem.reason == f"not a day such as 2023-05-12: {reason}"
