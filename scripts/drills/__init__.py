"""Drills: programs and the database are killed at random moments, and nothing may be lost.

Each round is made by its seed alone: what it does, who is killed, and after which part of the time
that the work takes undisturbed. docs/reliability.md has what is promised and what was found.
"""
