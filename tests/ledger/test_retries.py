"""When the connection breaks: nothing acknowledged is lost, and nothing is recorded twice."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from ledger import record
from ledger.database import AnyConnection, connect
from ledger.record import Broke, GivenUp, Ledger, NotKnown, SetRefused
from ledger.refusal import Unusable
from tests.ledger.proxy import Fault, Proxy, proxy_to
from tests.ledger.recording import IN_TIME, log, open_ledger, refused, renamed, rows, state
from tests.ledger.waiting import held_up, wait_until_somebody_waits


@pytest.fixture
def proxy(database: str) -> Iterator[Proxy]:
    """A proxy to the test's database, without a fault."""
    with proxy_to(database) as proxy:
        yield proxy


@pytest.mark.parametrize("fault", Fault)
def test_a_commit_that_was_not_acknowledged_is_looked_for_and_not_repeated(
    proxy: Proxy, database: str, fault: Fault
) -> None:
    proxy.fault = fault
    with open_ledger(proxy.url) as ledger:
        answer = ledger.record(state("KAZ"))
        assert (answer.entry.position, answer.repeated) == (1, False)
        assert proxy.connections > 1
        assert ledger.record(state("AZE")).entry.position == 2
    assert [key for _, _, key, _ in log(database)] == ["KAZ", "AZE"]
    assert rows(database, "SELECT id FROM ledger.entries WHERE position = 1") == [
        (answer.entry.id,)
    ]


@pytest.mark.parametrize("fault", Fault)
def test_a_whole_group_is_looked_for(proxy: Proxy, database: str, fault: Fault) -> None:
    proxy.fault, proxy.at = fault, 2
    with open_ledger(proxy.url) as ledger:
        with held_up(ledger, database, state("KAZ")):
            futures = [ledger.submit([state("AZE"), state("TUR")]), ledger.submit([state("IND")])]
            refused_set = ledger.submit([state("KAZ")])
        answers = [answer for future in futures for answer in future.result(IN_TIME)]
        assert [answer.entry.position for answer in answers] == [2, 3, 4]
        with pytest.raises(SetRefused):
            refused_set.result(IN_TIME)
    assert [key for _, _, key, _ in log(database)] == ["KAZ", "AZE", "TUR", "IND"]


def test_a_dry_run_that_breaks_is_run_again(proxy: Proxy, database: str) -> None:
    proxy.fault = Fault.REPLY_LOST
    with open_ledger(proxy.url) as ledger:
        [answer] = ledger.submit([state("KAZ")], dry_run=True).result(IN_TIME)
    assert answer.entry.position == 1
    assert log(database) == []


# ---------------------------------------------------------------- what cannot be learned


def test_a_network_that_is_gone_leaves_it_unknown_and_the_key_finds_it(
    proxy: Proxy, database: str
) -> None:
    proxy.fault, proxy.dies = Fault.REPLY_LOST, True
    proposal = state("KAZ", idempotency_key="request 1")
    with open_ledger(proxy.url) as ledger, pytest.raises(NotKnown) as caught:
        ledger.record(proposal)
    message = str(caught.value)
    assert message.startswith("the connection to the database broke (")
    assert message.endswith(
        "whether this was recorded could not be learned; ask again with the same idempotency key"
    )
    assert "\n" not in message
    with open_ledger(database) as ledger:
        answer = ledger.record(proposal)
        assert (answer.entry.position, answer.repeated) == (1, True)
        refused(
            ledger,
            state("KAZ", idempotency_key="request 1", name_en="Another"),
            "IDEMPOTENCY_KEY_REUSED",
            "idempotency key 'request 1' was used for entry 1, with other content; to change that"
            " entry, record a correction of it",
            field="idempotency_key",
        )
    assert len(log(database)) == 1


def test_what_a_dead_network_never_passed_on_is_recorded_by_the_next_request(
    proxy: Proxy, database: str
) -> None:
    proxy.fault, proxy.dies = Fault.NEVER_SENT, True
    proposal = state("KAZ", idempotency_key="request 1")
    with open_ledger(proxy.url) as ledger, pytest.raises(NotKnown):
        ledger.record(proposal)
    with open_ledger(database) as ledger:
        assert not ledger.record(proposal).repeated
    assert len(log(database)) == 1


def test_of_a_group_whose_fate_is_unknown_nobody_is_told_otherwise(
    proxy: Proxy, database: str
) -> None:
    proxy.fault, proxy.at, proxy.dies = Fault.REPLY_LOST, 2, True
    with open_ledger(proxy.url) as ledger:
        with held_up(ledger, database, state("KAZ")):
            futures = [ledger.submit([state("AZE")]), ledger.submit([state("TUR")])]
        for future in futures:
            with pytest.raises(NotKnown):
                future.result(IN_TIME)
    assert len(log(database)) == 3


def test_a_session_that_holds_on_to_its_lock_is_not_waited_for_for_ever(
    proxy: Proxy, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record, "LONGEST_WAIT", "50ms")
    proxy.fault, proxy.delay = Fault.LATE, 1.0
    proposal = state("KAZ", idempotency_key="request 1")
    with open_ledger(proxy.url) as ledger:
        with pytest.raises(NotKnown):
            ledger.record(proposal)
        answer = ledger.record(proposal)
    assert (answer.entry.position, answer.repeated) == (1, True)


def test_a_server_that_is_not_there_is_named_in_one_line(tmp_path: Path) -> None:
    with open_ledger(f"host={tmp_path} dbname=none") as ledger:
        with pytest.raises(Unusable, match=r"^the database can't be reached: [^\n]*$"):
            ledger.record(state("KAZ"))
        with pytest.raises(Unusable, match=r"check --database, or leave it out"):
            ledger.submit([state("KAZ")], dry_run=True).result(IN_TIME)


# ---------------------------------------------------------------- sessions that the server ends


def test_a_connection_that_broke_while_it_was_idle_is_nobodys_fault(
    ledger: Ledger, database: str
) -> None:
    ledger.record(state("KAZ"))
    end_sessions(database)
    assert ledger.record(state("AZE")).entry.position == 2
    end_sessions(database)
    with pytest.raises(SetRefused):
        ledger.submit([state("AZE")]).result(IN_TIME)
    assert len(log(database)) == 2


def test_a_new_connection_that_breaks_at_once_is_nobodys_fault_either(database: str) -> None:
    opened: list[AnyConnection] = []

    def connecting() -> AnyConnection:
        opened.append(connect(database))
        if len(opened) == 1:
            # A restart comes between connecting and looking whether the schema is in order.
            end_sessions(database)
        opened[-1].execute("SELECT 1")
        return opened[-1]

    with open_ledger(database, connecting=connecting) as ledger:
        assert ledger.record(state("KAZ")).entry.position == 1
    assert len(opened) == 2


def test_a_disk_without_room_is_told_and_recording_goes_on_when_there_is_some(
    ledger: Ledger, database: str
) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        # What the server says when a table can't grow, and then the transaction is over.
        connection.execute(
            """
            CREATE FUNCTION ledger.no_room() RETURNS trigger LANGUAGE plpgsql
            AS $$ BEGIN
                RAISE disk_full USING MESSAGE = 'could not extend file: No space left on device';
            END $$
            """
        )
        connection.execute(
            "CREATE TRIGGER no_room BEFORE INSERT ON ledger.entries"
            " FOR EACH STATEMENT EXECUTE FUNCTION ledger.no_room()"
        )
        with held_up(ledger, database, state("KAZ")) as first:
            others = [ledger.submit([state("AZE")]), ledger.submit([state("TUR")])]
        for future in (first, *others):
            with pytest.raises(Unusable) as caught:
                future.result(IN_TIME)
            assert str(caught.value) == (
                "the database's disk is full (could not extend file: No space left on device), so"
                " nothing was recorded; make room and try again"
            )
        connection.execute("DROP FUNCTION ledger.no_room CASCADE")
    assert ledger.record(state("KAZ")).entry.position == 1


def given_up(why: str) -> str:
    return f"the database gave up a statement ({why}), so nothing was recorded; try again"


def test_a_statement_that_somebody_cancels_is_told_and_its_group_is_tried_one_by_one(
    ledger: Ledger, database: str
) -> None:
    with psycopg.connect(database) as holder:
        holder.execute("LOCK TABLE ledger.entries")
        alone = ledger.submit([state("KAZ")])
        cancel(database, wait_until_somebody_waits(database))
        with pytest.raises(GivenUp) as caught:
            alone.result(IN_TIME)
    assert str(caught.value) == given_up("canceling statement due to user request")
    with psycopg.connect(database) as holder:
        with held_up(ledger, database, state("AZE")) as first:
            others = [ledger.submit([state("TUR")]), ledger.submit([state("IND")])]
            holder.execute("LOCK TABLE projections.states IN SHARE MODE")
        # The first is a group of one, so nobody else bears it; the others get another try.
        cancel(database, waiting := wait_until_somebody_waits(database))
        cancel(database, wait_until_somebody_waits(database, other_than=waiting))
    with pytest.raises(GivenUp):
        first.result(IN_TIME)
    assert [future.result(IN_TIME)[0].entry.position for future in others] == [1, 2]
    assert ledger.record(state("KAZ")).entry.position == 3


@pytest.mark.parametrize("limit", ["statement_timeout", "lock_timeout"])
def test_a_limit_that_an_administrator_set_is_told(database: str, limit: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        name = sql.Identifier(connection.info.dbname)
        setting = sql.SQL(f"ALTER DATABASE {{}} SET {limit} = '50ms'").format(name)
        connection.execute(setting)
    with open_ledger(database) as ledger:
        with psycopg.connect(database) as holder:
            holder.execute("LOCK TABLE ledger.entries")
            with pytest.raises(GivenUp) as caught:
                ledger.record(state("KAZ"))
        assert str(caught.value) == given_up(
            f"canceling statement due to {limit.replace('_', ' ')}"
        )
        assert ledger.record(state("KAZ")).entry.position == 1


def test_a_limit_that_a_new_connection_runs_into_is_told(database: str) -> None:
    def connecting() -> AnyConnection:
        with ExitStack() as stack:
            connection = stack.enter_context(closing(connect(database, lock_timeout="50ms")))
            # As a look at the schema and at the rules does.
            connection.execute("SELECT FROM ledger.entries")
            stack.pop_all()
            return connection

    with open_ledger(database, connecting=connecting) as ledger:
        with psycopg.connect(database) as holder:
            holder.execute("LOCK TABLE ledger.entries")
            with pytest.raises(GivenUp) as caught:
                ledger.record(state("KAZ"))
        assert str(caught.value) == given_up("canceling statement due to lock timeout")
        assert ledger.record(state("KAZ")).entry.position == 1


def cancel(database: str, pid: int) -> None:
    """Have the server give up what a session is about, as an administrator may."""
    rows(database, f"SELECT pg_cancel_backend({pid})")


def end_sessions(database: str) -> None:
    """Have the server end the writers' sessions, as a restart does."""
    writers = "FROM pg_stat_activity WHERE application_name = 'secretariat'"
    here = "AND datname = current_database()"
    rows(database, f"SELECT pg_terminate_backend(pid) {writers} {here}")
    until = time.monotonic() + IN_TIME
    while rows(database, f"SELECT pid {writers} {here}"):
        assert time.monotonic() < until, "the sessions go on"
        time.sleep(0.01)


@contextmanager
def sessions_end_at_commit(database: str, condition: str) -> Generator[None]:
    """Have the server end a session in the middle of its COMMIT, where `condition` holds."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE SEQUENCE ledger.commits")
        connection.execute(
            f"""
            CREATE FUNCTION ledger.end_session() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
            AS $$ BEGIN
                IF {condition} THEN
                    PERFORM pg_terminate_backend(pg_backend_pid());
                    PERFORM pg_sleep(10);
                END IF;
                RETURN NULL;
            END $$
            """.encode()
        )
        connection.execute(
            "CREATE CONSTRAINT TRIGGER end_session AFTER INSERT ON ledger.entries"
            " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger.end_session()"
        )
        yield
        connection.execute("DROP FUNCTION ledger.end_session CASCADE")


def test_a_commit_that_the_server_broke_off_is_tried_again(ledger: Ledger, database: str) -> None:
    with sessions_end_at_commit(database, "nextval('ledger.commits') = 1"):
        assert ledger.record(state("KAZ")).entry.position == 1
    assert len(log(database)) == 1


def test_what_breaks_again_is_given_up_and_was_not_recorded(ledger: Ledger, database: str) -> None:
    ledger.record(state("KAZ"))
    with sessions_end_at_commit(database, "NEW.key = 'AZE'"):
        with held_up(ledger, database, renamed("KAZ", "Qazaqstan")):
            bad, good = ledger.submit([state("AZE")]), ledger.submit([state("TUR")])
        with pytest.raises(Broke) as caught:
            bad.result(IN_TIME)
        assert str(caught.value).startswith("the connection to the database broke (terminating")
        assert str(caught.value).endswith("), so nothing was recorded; try again")
        assert "\n" not in str(caught.value)
        assert good.result(IN_TIME)[0].entry.position == 3
    assert ledger.record(state("AZE")).entry.position == 4
