"""A few examples of everything that `scripts/fuzz` tries for longer, and that script itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from hypothesis import strategies as st

from tests.properties import fuzzing
from tests.properties.fuzzed import PROPERTIES, Property, Trial
from tests.properties.fuzzed_ledger import properties_of_a_ledger
from tests.properties.fuzzing import Fuzzing, example_ledger


@pytest.fixture(scope="module")
def of_a_ledger(server_url: str) -> Iterator[Sequence[Property]]:
    """The properties of a ledger that has the example in it."""
    with example_ledger(server_url) as url, properties_of_a_ledger(url) as properties:
        yield properties


@pytest.mark.parametrize("tried", PROPERTIES, ids=lambda tried: tried.name)
def test_it_holds_whatever_comes_in(tried: Property) -> None:
    trial = Trial(tried)
    trial.run()
    assert trial.examples >= tried.examples // 2


def test_it_holds_of_a_ledger_whatever_comes_in(of_a_ledger: Sequence[Property]) -> None:
    for tried in of_a_ledger:
        Trial(tried).run()


def small(value: int) -> None:
    assert value < 100, "it is large"


BROKEN = Property(name="small", values=st.integers(0, 1_000), holds=small, examples=200)
KEPT = Property(name="kept", values=st.integers(), holds=lambda value: None, examples=10)


def test_the_script_counts_and_says_how_to_see_a_failure_again(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert Fuzzing([KEPT, BROKEN], seconds=0, first_seed=7).run() == 1
    out = capsys.readouterr().out
    assert "holds(\n    value=100,\n)" in out
    assert "scripts/fuzz 1 --seed 7 --only small" in out
    assert "kept             10 examples in 1 round\n" in out
    assert "small: broken after" in out


def test_the_script_goes_on_with_other_examples_until_the_time_is_over(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ticks = iter(range(100))
    monkeypatch.setattr(fuzzing, "monotonic", lambda: next(ticks))
    seen: list[int] = []
    collecting = Property(name="seen", values=st.integers(), holds=seen.append, examples=10)
    assert Fuzzing([collecting], seconds=3, first_seed=1).run() == 0
    assert "seen" in capsys.readouterr().out
    rounds = [tuple(seen[n : n + 10]) for n in range(0, len(seen), 10)]
    assert len(rounds) == len(set(rounds)) > 1


def test_the_script_knows_its_properties(capsys: pytest.CaptureFixture[str]) -> None:
    assert fuzzing.main(["1", "--only", "nothing"]) == 2
    assert "dates, csv, registers" in capsys.readouterr().err
