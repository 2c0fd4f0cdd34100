"""Asking a server of a drill: always the same, so that each answer must be the same bytes."""

from __future__ import annotations

import http
import http.client
import json
from urllib.parse import urlsplit

DOCUMENT = """
    { ledger(asOf: {position: "100", effectiveOn: "2023-12-31"}) {
        asOf { position knownAt rules }
        contributions(first: 100) { totalCount { certain possible } nodes { key version } }
        contributionTotals { currency net { amount low high } } } }
"""

SECONDS_TO_ANSWER = 20


class NotAnswered(Exception):
    """The server said that it can't answer now."""


def ask(address: str) -> bytes:
    """The answer as it came; raises OSError while nobody listens."""
    place = urlsplit(address)
    connection = http.client.HTTPConnection(place.netloc, timeout=SECONDS_TO_ANSWER)
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    connection.request("POST", place.path, json.dumps({"query": DOCUMENT}), headers)
    response = connection.getresponse()
    body = response.read()
    connection.close()
    if response.status != http.HTTPStatus.OK or b'"errors"' in body:
        raise NotAnswered(f"{response.status}: {body.decode()}")
    return body
