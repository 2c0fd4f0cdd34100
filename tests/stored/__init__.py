"""An example of every event that is stored, by its stored name."""

from __future__ import annotations

from ledger.kind import ANNULLED
from tests.stored import finance, organs, programme, treaties
from tests.stored.example import Example, said

EXAMPLES: dict[str, Example] = {
    **organs.EXAMPLES,
    **finance.EXAMPLES,
    **programme.EXAMPLES,
    **treaties.EXAMPLES,
    ANNULLED: Example(
        kind="contribution",
        key="C-2023-KAZ",
        statement=said(None, None, reason="entered twice"),
        annuls=12,
    ),
}
