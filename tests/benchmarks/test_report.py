"""What a run of the benches prints and keeps, on samples made up for it."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from benchmarks import as_of, plot, report
from benchmarks.harness import Goal, Measured, in_turn, ratio, ratio_to_best


def measured(*ratios: float, bound: float = 2) -> dict[str, list[Measured]]:
    """A run of one bench with one promise."""
    goal = Goal("ours / theirs", ratios, bound)
    return {"append": [Measured("Appending", "entries/s", {"ours": [3.0, 1.0, 2.0]}, [goal])]}


def test_contestants_run_in_turn() -> None:
    order: list[str] = []

    def runner(name: str, rate: float) -> float:
        order.append(name)
        return rate

    samples = in_turn({"a": lambda: runner("a", 4), "b": lambda: runner("b", 2)}, rounds=2)
    assert order == ["a", "b", "a", "b"]
    assert samples == {"a": [4, 4], "b": [2, 2]}


def test_a_ratio_is_taken_within_a_round() -> None:
    samples = {"ours": [8.0, 2.0], "one": [2.0, 1.0], "other": [4.0, 0.5]}
    assert ratio(samples, "ours", "one") == (4, 2)
    assert ratio_to_best(samples, "ours", ["one", "other"]) == (2, 2)


@pytest.mark.parametrize(
    ("goal", "is_reached"),
    [
        (Goal("faster", (1.0, 2.0, 9.0), 2), True),
        (Goal("faster", (1.0, 1.9, 9.0), 2), False),
        (Goal("slower", (1.0, 2.0, 9.0), 2, "at most"), True),
        (Goal("slower", (1.0, 2.1, 9.0), 2, "at most"), False),
    ],
)
def test_the_median_is_what_counts(goal: Goal, *, is_reached: bool) -> None:
    assert goal.is_reached is is_reached


def test_a_table_says_what_was_promised_and_whether_it_is_so() -> None:
    text = report.markdown(measured(1.0, 1.5, 3.0)["append"])
    assert "| ours | 1 | 2 | 3 |" in text
    assert "| ours / theirs | 1.00 | 1.50 | 3.00 | at least 2 | **not reached** |" in text


def test_a_run_fails_only_below_half_of_the_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = tmp_path / "record.json"
    monkeypatch.setattr(report, "RECORD", record)
    assert report.compared(measured(1.0), short=True) == []
    report.write({}, measured(1.0), short=True)
    assert json.loads(record.read_text())["short"]["append"] == {
        "ours / theirs": {"ratio": 1.0, "promised": "at least 2", "reached": False}
    }
    assert report.compared(measured(0.51), short=True) == []
    assert report.compared(measured(0.49), short=True) == ["ours / theirs"]
    assert report.compared(measured(0.49), short=False) == []


def test_a_server_that_did_not_keep_up_has_no_ratio(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report, "RECORD", tmp_path / "record.json")
    report.write({}, measured(float("inf")), short=True)
    record = report.recorded("short")
    assert record["append"]["ours / theirs"]["ratio"] is None
    assert "| ours / theirs | did not keep up |" in report.summary(record)


def test_where_less_is_better_twice_the_record_is_half_as_good() -> None:
    goal = Goal("past / newest", (2.1,), 1.3, "at most")
    assert goal.is_half_of(1.0)
    assert not goal.is_half_of(1.1)


def test_a_long_run_replaces_its_own_tables_in_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "performance.md"
    page.write_text(
        "Words.\n<!-- measured: append -->\nold\n<!-- end: append -->\nMore.\n"
        "<!-- measured: summary --><!-- end: summary -->\nThe end.\n"
    )
    monkeypatch.setattr(report, "PAGE", page)
    monkeypatch.setattr(report, "RECORD", tmp_path / "record.json")
    report.write({"cores": "2"}, measured(3.0), short=False)
    text = page.read_text()
    assert text.startswith("Words.\n<!-- measured: append -->\n\n### Appending\n")
    assert "Conditions: cores 2.\n" in text
    assert "<!-- end: append -->\nMore.\n" in text
    assert "| ours / theirs | 3.00 | at least 2 | reached |\n" in text
    assert text.endswith("<!-- end: summary -->\nThe end.\n")
    assert "old" not in text


def test_growth_is_drawn_of_its_tables_alone() -> None:
    tables = [
        Measured("Growth: a page", "ms", {"10 entries": [3.0, 1.0, 2.0], "1,000 entries": [4.0]}),
        Measured("Beside others", "ms", {"ours": [1.0]}),
    ]
    found = as_of.lines(tables)
    assert found == {"a page": {10: 2.0, 1000: 4.0}}
    image = ET.fromstring(plot.drawn(found, "Growth & more"))  # noqa: S314  # Our own.
    texts = [text.text for text in image.iter("{http://www.w3.org/2000/svg}text")]
    assert {"Growth & more", "a page", "1,000", "10 ms"} <= set(texts)
