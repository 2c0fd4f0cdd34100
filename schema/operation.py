"""One operation: from a document to its answer, however it came."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from graphql import ExecutionResult as GraphQLResult
from graphql import GraphQLError, OperationDefinitionNode
from strawberry.exceptions import MissingQueryError
from strawberry.extensions import SchemaExtension
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types import ExecutionResult
from strawberry.types.graphql import OperationType

from schema.context import Context
from schema.errors import Schema, is_internal


@dataclass(frozen=True, slots=True)
class Operation:
    """What is asked: a document, the values of its variables, and which operation of it."""

    document: str
    variables: dict[str, Any] | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a client gets: `data`, `errors` or both.

    `was_executed` is False if it has no data because the operation could not even begin;
    `is_internal` is True if that is our fault.
    """

    body: dict[str, Any]
    was_executed: bool
    is_internal: bool = False

    @classmethod
    def refusing(cls, message: str) -> Answer:
        """The answer to what is no operation."""
        return cls({"errors": [{"message": message}]}, was_executed=False)


class NotServed(Exception):
    """The operation is of a type that is not served this way."""

    def __init__(self, operation_type: OperationType) -> None:
        super().__init__(f"a {operation_type.value} is not served")
        self.operation_type = operation_type


class OperationNamed(SchemaExtension):
    """Refuses to guess which of several operations is meant."""

    def on_parse(self) -> Iterator[None]:
        """Count the operations once the document is parsed."""
        yield
        document = self.execution_context.graphql_document
        asked = self.execution_context._provided_operation_name  # noqa: SLF001  # Its public property guesses.
        if document is None or asked is not None:
            return
        operations = [d for d in document.definitions if isinstance(d, OperationDefinitionNode)]
        if len(operations) > 1:
            raise GraphQLError("the document has several operations: say which by `operationName`")


class DocumentKept(SchemaExtension):
    """Leaves a document that was found valid in the request's context."""

    def on_execute(self) -> Iterator[None]:
        """Only what is valid is executed."""
        context = self.execution_context.context
        if isinstance(context, Context):
            context.document = self.execution_context.graphql_document
            if context.is_only_read:
                self.execution_context.result = GraphQLResult(data=None)
        yield


async def answer(
    schema: Schema, operation: Operation, context: Context, served: frozenset[OperationType]
) -> Answer:
    """Execute an operation; raises `NotServed` if its type is not among those `served`."""
    try:
        result = await schema.execute(
            operation.document,
            variable_values=operation.variables,
            operation_name=operation.name,
            context_value=context,
            allowed_operation_types=served,
        )
    except MissingQueryError:
        return Answer.refusing("the document is empty")
    except CannotGetOperationTypeError as error:
        name = error.operation_name
        which = "no operation" if name is None else f"no operation named {name!r}"
        return Answer.refusing(f"the document has {which}")
    except InvalidOperationTypeError as error:
        raise NotServed(error.operation_type) from None
    return _answer(result)


def _answer(result: ExecutionResult) -> Answer:
    errors = result.errors or []
    # Every error of the execution has a path: without one, nothing was executed.
    was_executed = result.data is not None or any(error.path for error in errors)
    body: dict[str, Any] = {"data": result.data} if was_executed else {}
    if errors:
        body["errors"] = [error.formatted for error in errors]
    return Answer(body, was_executed, any(is_internal(error) for error in errors))
