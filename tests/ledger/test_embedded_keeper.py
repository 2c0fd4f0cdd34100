"""A server that is looked after: whenever it dies, it is started anew."""

from __future__ import annotations

import logging
from functools import partial
from pathlib import Path

import pytest

from ledger import embedded, embedded_keeper
from ledger.embedded_folder import claim
from ledger.embedded_keeper import kept_running
from tests.ledger import embedded_servers
from tests.ledger.embedded_servers import (
    MUCH,
    execute,
    is_running,
    kill,
    postmaster,
    suspended_recovery,
    wait_until,
)

place = embedded_servers.place
template = embedded_servers.template
data = embedded_servers.data

STARTED = "PostgreSQL had ended, and was started again"


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded_keeper, "SECONDS_BETWEEN_LOOKS", 0.01)
    monkeypatch.setattr(embedded_keeper, "SECONDS_AFTER_A_FAILURE", 0.01)


def test_it_is_started_whenever_it_was_killed(data: Path, caplog: pytest.LogCaptureFixture) -> None:
    def is_told(times: int) -> bool:
        return caplog.messages == [STARTED] * times

    with embedded.start(data) as server, kept_running(server):
        execute(server.url, "INSERT INTO note VALUES ('kept')")
        for times in (1, 2):
            kill(claim(data))
            wait_until(partial(is_told, times))
            assert execute(server.url, "SELECT words FROM note") == ["kept"]
    assert not is_running(data)
    assert {record.levelno for record in caplog.records} == {logging.WARNING}


def test_it_is_left_alone_while_it_runs(data: Path, caplog: pytest.LogCaptureFixture) -> None:
    with embedded.start(data) as server, kept_running(server):
        process = postmaster(data)
        assert not server.revive(lambda: True)
        assert postmaster(data) == process
    assert caplog.messages == []


def test_two_who_look_after_one_start_it_once(data: Path, caplog: pytest.LogCaptureFixture) -> None:
    with (
        embedded.start(data) as one,
        embedded.start(data) as other,
        kept_running(one),
        kept_running(other),
    ):
        kill(claim(data))
        wait_until(lambda: STARTED in caplog.messages)
        assert execute(other.url, "SELECT count(*) FROM note") == ["0"]
    assert not is_running(data)


def test_what_keeps_it_from_starting_is_told_once_and_it_is_tried_on(
    data: Path, caplog: pytest.LogCaptureFixture
) -> None:
    control, aside = data / "postgres/global/pg_control", data / "aside"
    with embedded.start(data) as server, kept_running(server):
        control.rename(aside)
        kill(claim(data))
        wait_until(lambda: bool(caplog.messages))
        tries = (data / "postgres.log").read_text().count("pg_control")
        wait_until(lambda: (data / "postgres.log").read_text().count("pg_control") > tries + 2)
        aside.rename(control)
        wait_until(lambda: caplog.messages[-1] == STARTED)
    assert len(caplog.messages) == 2
    assert caplog.messages[0].startswith("PostgreSQL has ended, and is tried again: PostgreSQL did")
    assert "pg_control" in caplog.messages[0]


def test_a_folder_that_is_gone_is_not_made_anew(
    data: Path, caplog: pytest.LogCaptureFixture
) -> None:
    aside = data.with_name("aside")
    with embedded.start(data) as server, kept_running(server):
        process = postmaster(data)
        (data / "postgres").rename(aside)
        process.kill()
        wait_until(lambda: bool(caplog.messages))
        assert not (data / "postgres").exists()
        aside.rename(data / "postgres")
        wait_until(lambda: caplog.messages[-1] == STARTED)
        data.rename(aside)
        process.wait()
        wait_until(lambda: len(caplog.messages) > 2)
        assert not data.exists()
        aside.rename(data)
    why = f"there is no database in {data} any more"
    assert caplog.messages[0] == f"PostgreSQL has ended, and is tried again: {why}"
    assert "No such file or directory" in caplog.messages[2]


def test_whoever_ends_meanwhile_does_not_wait_for_a_recovery(data: Path) -> None:
    with embedded.start(data) as server:
        execute(server.url, MUCH)
        with kept_running(server):
            kill(claim(data))
            startup = suspended_recovery(data)
        # Here one who waited would never come.
        startup.resume()
    assert not is_running(data)
