"""Canonical JSON (RFC 8785): the one form of bytes that is stored and hashed.

Only what the ledger stores is let through: objects with ASCII names, lists, text, whole numbers
below 2^53, true, false. Money and larger numbers are text, so no float ever gets here; for what
remains, orjson's sorted output is RFC 8785's, which a property test holds to the package `rfc8785`.
"""

from __future__ import annotations

import hashlib
from typing import Any

import orjson

LARGEST = 2**53 - 1
"""Above this, not every program that reads JSON keeps whole numbers apart."""


def canonical(value: Any) -> bytes:
    """Return the RFC 8785 bytes of `value`; TypeError or ValueError if it is not stored."""
    _check(value)
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def decode(data: bytes) -> Any:
    """Return the value of JSON bytes; raise ValueError if they are not JSON."""
    return orjson.loads(data)


def sha256(data: bytes) -> str:
    """The SHA-256 of `data`, in lower-case hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def _check(value: Any) -> None:
    if value is True or value is False or type(value) is str:
        return
    if type(value) is int:
        if abs(value) > LARGEST:
            raise ValueError(f"{value} is too large for a JSON number; store it as text")
    elif type(value) is dict:
        for name, item in value.items():
            if type(name) is not str or not name.isascii():
                raise TypeError(f"{name!r} is not an ASCII name")
            # Most values are texts or small numbers, and a call for each takes longer than writing.
            kind = type(item)
            if kind is not str and not (kind is int and -LARGEST <= item <= LARGEST):
                _check(item)
    elif type(value) is list:
        for item in value:
            _check(item)
    else:
        raise TypeError(f"{type(value).__name__} is not stored as JSON")
