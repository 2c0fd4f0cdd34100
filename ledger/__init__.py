"""The facts and their rules: entries, dates, kinds of record, and the one way to record."""
