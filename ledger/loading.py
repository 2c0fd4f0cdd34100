"""Loading modules, of which a command loads hundreds."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def only_loading() -> Iterator[None]:
    """Load modules without collecting garbage, of which they make none.

    What they are made of stays to the end, so that later collections need not go through it either.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
