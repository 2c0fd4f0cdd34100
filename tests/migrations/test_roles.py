"""The roles, schemas and grants before the first file, for each kind of login role."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from migrations import RolesMissing, migrate, roles
from tests.migrations.conftest import Logins, Write, wait_for

TABLE = {"0001_a": "CREATE TABLE a (x int);"}


@pytest.fixture
def folder(write: Write) -> Path:
    """A folder with one migration."""
    return write(**TABLE)


def database_name(url: str) -> str:
    with psycopg.connect(url) as connection:
        return connection.info.dbname


def assert_installed(url: str) -> None:
    """The roles, schemas and grants are there, and the URL's login can use them."""
    with psycopg.connect(url, autocommit=True) as connection:
        owners = connection.execute(
            "SELECT nspname, pg_get_userbyid(nspowner) FROM pg_namespace"
            " WHERE nspname IN ('ledger', 'projections') ORDER BY 1"
        ).fetchall()
        assert owners == [("ledger", roles.OWNER), ("projections", roles.OWNER)]
        can_login = connection.execute(
            "SELECT bool_or(rolcanlogin) FROM pg_roles WHERE rolname IN (%s, %s)",
            [roles.OWNER, roles.SERVER],
        ).fetchone()
        assert can_login == (False,)
    with psycopg.connect(url, options=f"-c role={roles.OWNER}") as connection:
        # What a rebuild does.
        connection.execute("CREATE SCHEMA projections_next")
        connection.execute("DROP SCHEMA projections")
        connection.execute("ALTER SCHEMA projections_next RENAME TO projections")
        connection.execute("DROP TABLE ledger.a")
        connection.rollback()
    with psycopg.connect(url, options=f"-c role={roles.SERVER}", autocommit=True) as connection:
        assert connection.execute("SELECT name FROM ledger.migrations").fetchall() == [
            ("0001_a.sql",)
        ]
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("UPDATE ledger.migrations SET name = 'other'")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("CREATE TABLE projections.b (x int)")


def test_a_superuser_makes_everything_and_a_second_time_nothing(blank: str, folder: Path) -> None:
    assert migrate(blank, folder=folder) == ["0001_a.sql"]
    assert_installed(blank)
    assert migrate(blank, folder=folder) == []
    assert_installed(blank)


@pytest.mark.parametrize("rights", ["CREATEROLE", "CREATEROLE NOINHERIT"])
def test_the_databases_owner_with_createrole_makes_everything(
    logins: Logins, blank: str, folder: Path, rights: str
) -> None:
    login = logins.new(rights)
    logins.run("ALTER DATABASE {db} OWNER TO {login}", db=database_name(blank), login=login)
    address = logins.address(blank, login)
    assert migrate(address, folder=folder) == ["0001_a.sql"]
    assert_installed(address)
    assert migrate(address, folder=folder) == []


def test_a_login_without_rights_is_told_the_sql_that_an_administrator_should_run(
    logins: Logins, blank: str, folder: Path
) -> None:
    login = logins.new()
    address = logins.address(blank, login)
    with pytest.raises(RolesMissing) as caught:
        migrate(address, folder=folder)
    said, advised = str(caught.value).split("ask an administrator to run, connected to this")
    assert said.startswith(f"database {database_name(blank)} on ")
    assert f"the role {login} may not" in said
    assert advised == (
        f' database: CREATE ROLE "{roles.OWNER}" NOLOGIN; CREATE ROLE "{roles.SERVER}" NOLOGIN;'
        f' GRANT "{roles.OWNER}" TO "{login}"; GRANT "{roles.SERVER}" TO "{login}";'
        f' GRANT CREATE ON DATABASE "{database_name(blank)}" TO "{roles.OWNER}";'
    )
    with psycopg.connect(blank) as administrator:
        administrator.execute(advised.removeprefix(" database: ").encode())
    assert migrate(address, folder=folder) == ["0001_a.sql"]
    assert_installed(address)


def test_only_what_is_missing_is_asked_for(logins: Logins, blank: str, folder: Path) -> None:
    first, second = logins.new("SUPERUSER"), logins.new()
    migrate(logins.address(blank, first), folder=folder)
    with pytest.raises(RolesMissing) as caught:
        migrate(logins.address(blank, second), folder=folder)
    assert str(caught.value).endswith(
        f'database: GRANT "{roles.OWNER}" TO "{second}"; GRANT "{roles.SERVER}" TO "{second}";'
    )


def test_a_grant_that_postgresql_only_warned_of_is_asked_for(
    logins: Logins, blank: str, folder: Path
) -> None:
    # Whoever may connect and does not own the database gets a warning, not an error.
    login = logins.new("CREATEROLE")
    with pytest.raises(RolesMissing) as caught:
        migrate(logins.address(blank, login), folder=folder)
    assert str(caught.value).endswith(
        f'database: GRANT CREATE ON DATABASE "{database_name(blank)}" TO "{roles.OWNER}";'
    )


def test_what_an_administrator_made_by_hand_is_enough(
    logins: Logins, blank: str, folder: Path
) -> None:
    login = logins.new()
    names = {"db": database_name(blank), "login": login}
    names |= {"owner": roles.OWNER, "server": roles.SERVER}
    for statement in (
        "CREATE ROLE {owner} NOLOGIN",
        "CREATE ROLE {server} NOLOGIN",
        "GRANT {owner}, {server} TO {login}",
        "GRANT CREATE ON DATABASE {db} TO {owner}",
    ):
        logins.run(statement, **names)
    by_hand = Logins(blank, logins.suffix)
    for schema in roles.SCHEMAS:
        by_hand.run(f"CREATE SCHEMA {schema} AUTHORIZATION {{owner}}", owner=roles.OWNER)
        by_hand.run(f"GRANT USAGE ON SCHEMA {schema} TO {{server}}", server=roles.SERVER)
    address = logins.address(blank, login)
    assert migrate(address, folder=folder) == ["0001_a.sql"]
    assert_installed(address)


def test_a_role_that_the_login_takes_by_default_is_put_off(
    logins: Logins, blank: str, folder: Path
) -> None:
    login, weak = logins.new("SUPERUSER"), logins.new()
    logins.run("ALTER ROLE {login} SET role = {weak}", login=login, weak=weak)
    address = logins.address(blank, login)
    assert migrate(address, folder=folder) == ["0001_a.sql"]


def test_the_schema_of_another_role_is_not_taken_over(
    logins: Logins, blank: str, folder: Path
) -> None:
    other = logins.new()
    Logins(blank, logins.suffix).run("CREATE SCHEMA ledger AUTHORIZATION {other}", other=other)
    with pytest.raises(RolesMissing) as caught:
        migrate(blank, folder=folder)
    assert "the schemas ledger belong to another role; use another database" in str(caught.value)
    assert str(caught.value).endswith(f'ALTER SCHEMA "ledger" OWNER TO "{roles.OWNER}";')


def test_two_databases_of_one_server_may_be_installed_at_once(
    logins: Logins, blank: str, folder: Path, second_database: str
) -> None:
    login = logins.new("SUPERUSER")
    together = threading.Barrier(2)

    def install(url: str) -> list[str]:
        together.wait(timeout=30)
        return migrate(logins.address(url, login), folder=folder)

    with ThreadPoolExecutor() as pool:
        assert list(pool.map(install, [blank, second_database])) == [["0001_a.sql"]] * 2


def test_a_role_that_another_database_makes_meanwhile_is_taken_as_it_is(
    logins: Logins, blank: str, folder: Path
) -> None:
    with psycopg.connect(logins.server_url) as other, ThreadPoolExecutor() as pool:
        other.execute(f'CREATE ROLE "{roles.OWNER}" NOLOGIN'.encode())
        installed = pool.submit(migrate, blank, folder=folder)
        # The role that is not committed yet cannot be seen; making it waits for the other one.
        wait_for(blank, "transactionid")
        other.commit()
        assert installed.result(timeout=30) == ["0001_a.sql"]
    assert_installed(blank)
