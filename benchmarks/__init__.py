"""How fast the ledger is beside others, measured in one run on one PostgreSQL.

`scripts/bench` runs it; README.md says what is measured and how.
"""
