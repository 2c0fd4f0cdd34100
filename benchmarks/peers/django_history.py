"""django-simple-history with the rows of a ledger: run under the Python of the peers.

    python django_history.py fill URL EFFECTIVE_ON
    python django_history.py page URL KNOWN_AT SECONDS

`fill` makes its tables and copies into them what the ledger knew of each contribution after each of
its entries. `page` reads the first twenty as of a moment, over and over, and prints the median in
milliseconds and the rows. It is called in its own process, without HTTP: what a view, a serializer
and a server cost comes on top.
"""

from __future__ import annotations

import json
import sys
import time
from datetime import datetime
from statistics import median
from typing import Any
from urllib.parse import parse_qs, urlsplit

import django
from django.conf import settings

FIELDS = ("key", "fiscal_year", "received", "currency", "state", "account")

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
        SIMPLE_HISTORY_DATE_INDEX="Composite",
    )
    django.setup()


def model() -> Any:
    """The model of a contribution; its class can only be made once Django is set up."""
    from django.db import models  # noqa: PLC0415  # As the docstring says.
    from simple_history.models import HistoricalRecords  # noqa: PLC0415  # As above.

    class Contribution(models.Model):
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


def page(url: str, known_at: str, seconds: str) -> None:
    """Read the page until the time is over, at least three times."""
    configure(url)
    contribution, moment = model(), datetime.fromisoformat(known_at)
    took: list[float] = []
    found: list[Any] = []
    ends = time.perf_counter() + float(seconds)
    while time.perf_counter() < ends or len(took) < 3:
        began = time.perf_counter()
        rows = contribution.history.as_of(moment).order_by("key")[:20]
        found = [[str(getattr(row, field)) for field in FIELDS] for row in rows]
        json.dumps(found)
        took.append((time.perf_counter() - began) * 1000)
    print(json.dumps({"p50": median(took), "rows": found}))


if __name__ == "__main__":
    {"fill": fill, "page": page}[sys.argv[1]](*sys.argv[2:])
