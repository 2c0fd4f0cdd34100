"""The schema as clients see it: schema/schema.graphql, and what it says of itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    build_schema,
    validate_schema,
)

from schema import schema

FILE = Path(__file__).resolve().parents[2] / "schema" / "schema.graphql"

WITH_FIELDS = (GraphQLObjectType, GraphQLInterfaceType, GraphQLInputObjectType)


def test_the_file_is_current() -> None:
    current = schema.as_str().rstrip() + "\n"
    assert FILE.read_text(encoding="utf-8") == current, "run `secretariat schema --write`"


def test_the_file_is_a_schema() -> None:
    assert validate_schema(build_schema(FILE.read_text(encoding="utf-8"))) == []


def test_everything_is_described() -> None:
    types = build_schema(FILE.read_text(encoding="utf-8")).type_map.values()
    ours = [named for named in types if not named.name.startswith("__")]
    assert [name for named in ours for name in _undescribed(named)] == []


def _undescribed(named: GraphQLNamedType) -> Iterator[str]:
    """The names of a type, and of fields of it, that say nothing of themselves."""
    if not named.description:
        yield named.name
    if isinstance(named, WITH_FIELDS):
        for name, field in named.fields.items():
            if not field.description:
                yield f"{named.name}.{name}"


def test_an_enum_has_values_in_capitals() -> None:
    for named in build_schema(FILE.read_text(encoding="utf-8")).type_map.values():
        if isinstance(named, GraphQLEnumType) and not named.name.startswith("__"):
            assert [value for value in named.values if value != value.upper()] == []
