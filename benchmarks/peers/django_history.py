"""django-simple-history with the rows of a ledger: run under the Python of the peers.

    python django_history.py fill URL EFFECTIVE_ON
    python django_history.py serve URL

`fill` makes its tables and copies into them what the ledger knew of each contribution after each of
its entries. `serve` answers with the first twenty as of the moment that is POSTed as `knownAt`, by
one gunicorn worker with threads, which keeps connections as the ledger's server does.
"""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse
from django.urls import path
from gunicorn.app.base import BaseApplication

FIELDS = ("key", "fiscal_year", "received", "currency", "state", "account")

CONTRIBUTION: list[Any] = []
"""The model, once Django is set up."""

SERVED_BY = {
    "workers": 1,
    "threads": 4,
    "keepalive": 60,
    "loglevel": "error",
    "control_socket_disable": True,
}

LISTENER = socket.create_server(("127.0.0.1", 0))

# Every known row is what the newest known entry made of the record, on a day after all of them.
HISTORY = """
    INSERT INTO register_historicalcontribution
           (key, fiscal_year, received, currency, state, account, history_date, history_type)
    SELECT c.key, fiscal_year, received, currency, state, coalesce(account, ''), e.recorded_at,
           CASE WHEN c.step = 1 THEN '+' ELSE '~' END
      FROM projections.contributions AS c
      JOIN ledger.entries AS e ON e.position = lower(c.known)
     WHERE effective @> %s::date
"""
NEWEST = """
    INSERT INTO register_contribution (key, fiscal_year, received, currency, state, account)
    SELECT key, fiscal_year, received, currency, state, coalesce(account, '')
      FROM projections.contributions
     WHERE upper_inf(known) AND effective @> %s::date
"""


def configure(url: str) -> None:
    """Set Django up on the database, with the composite index that its documentation advises."""
    address = urlsplit(url)
    given = {name: values[0] for name, values in parse_qs(address.query).items()}
    settings.configure(
        INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "simple_history"],
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.postgresql",
                "NAME": address.path.strip("/"),
                "HOST": given["host"],
                "PORT": given["port"],
                "USER": given["user"],
                "CONN_MAX_AGE": None,
            }
        },
        USE_TZ=True,
        ALLOWED_HOSTS=["127.0.0.1"],
        ROOT_URLCONF=__name__,
        SIMPLE_HISTORY_DATE_INDEX="Composite",
    )
    django.setup()


def model() -> Any:
    """The model of a contribution; its class can only be made once Django is set up."""
    from django.db import models  # noqa: PLC0415  # As the docstring says.
    from simple_history.models import HistoricalRecords  # noqa: PLC0415  # As the docstring says.

    class Contribution(models.Model):  # type: ignore[misc]  # Django has no types here.
        key = models.TextField(primary_key=True)
        fiscal_year = models.IntegerField()
        received = models.DecimalField(max_digits=20, decimal_places=2)
        currency = models.TextField()
        state = models.TextField()
        account = models.TextField()
        # Who changed it is nobody of Django's own.
        history = HistoricalRecords(
            table_name="register_historicalcontribution",
            history_user_id_field=models.IntegerField(null=True),
        )

        class Meta:
            # A model belongs to an app that is installed, and this file is none.
            app_label = "simple_history"
            db_table = "register_contribution"

        def __str__(self) -> str:
            return str(self.key)

    return Contribution


def fill(url: str, effective_on: str) -> None:
    """Make the tables anew and fill them from the ledger's."""
    configure(url)
    from django.db import connection  # noqa: PLC0415  # It can only be imported by now.

    contribution = model()
    with connection.cursor() as cursor:
        cursor.execute(
            "DROP TABLE IF EXISTS register_contribution, register_historicalcontribution"
        )
    with connection.schema_editor() as editor:
        editor.create_model(contribution)
        editor.create_model(contribution.history.model)
    with connection.cursor() as cursor:
        cursor.execute(NEWEST, [effective_on])
        cursor.execute(HISTORY, [effective_on])
        cursor.execute("VACUUM ANALYZE register_contribution")
        cursor.execute("VACUUM ANALYZE register_historicalcontribution")
    print(json.dumps({}))


def respond(request: HttpRequest) -> HttpResponse:
    """The first twenty contributions as of a moment."""
    moment = datetime.fromisoformat(json.loads(request.body)["knownAt"])
    rows = CONTRIBUTION[0].history.as_of(moment).order_by("key")[:20]
    body = json.dumps([[str(getattr(row, field)) for field in FIELDS] for row in rows])
    length = str(len(body))
    return HttpResponse(body, "application/json", headers={"Content-Length": length})


class Server(BaseApplication):  # type: ignore[misc]  # Gunicorn has no types here.
    """gunicorn without a command line of its own."""

    def load_config(self) -> None:
        """One worker at the socket that is there already, so that its port is known."""
        for name, value in SERVED_BY.items():
            self.cfg.set(name, value)
        self.cfg.set("bind", f"fd://{LISTENER.fileno()}")

    def load(self) -> Any:
        """The application that is served."""
        return get_wsgi_application()


def serve(url: str) -> None:
    """Serve, and print the address."""
    configure(url)
    CONTRIBUTION.append(model())
    print(f"http://127.0.0.1:{LISTENER.getsockname()[1]}/", flush=True)
    Server().run()


urlpatterns = [path("", respond)]

if __name__ == "__main__":
    commands: dict[str, Callable[..., None]] = {"fill": fill, "serve": serve}
    commands[sys.argv[1]](*sys.argv[2:])
