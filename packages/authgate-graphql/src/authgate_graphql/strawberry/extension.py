"""The schema extension: who an operation comes from is known before its first field is resolved."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from functools import cache
from typing import Any, Final, Self, cast

from graphql import DocumentNode, GraphQLError
from graphql.error import located_error
from strawberry.extensions import SchemaExtension
from strawberry.types import ExecutionContext

from authgate_core import AsyncGate, AuthgateError, ConfigurationError, Gate, Policy
from authgate_core.challenge import OnRefusal

from ..checks import check, is_checked
from ..context import known_visit, visit_of
from ..errors import checked_words, worded
from ..requirement import Requirement, requirement
from ..streams import ended
from ..visit import Visit, running_loop
from .fields import schema_of
from .protected import Operation

__all__ = ["AuthGateExtension"]


class AuthGateExtension(SchemaExtension):
    """Authenticates an operation before it is executed, if any of its fields has a guard.

    ``strawberry.Schema(Query, extensions=[AuthGateExtension])``, or with arguments
    ``extensions=[partial(AuthGateExtension, default=is_user)]``. The checks of fields are then plain reads in async
    execution too, also where a store or an issuer had to be asked.

    Args:
        default: Who may send an operation with root fields that have no guard and are not public (Law 8.8),
            introspection among them; whoever may not is answered before anything is executed. None asks nothing.
        gate: Who judges, where that is not the gate of the app around the view.
        http_status: Whether a refusal becomes the status of the HTTP response, with its challenge and
            ``Retry-After``; otherwise that is 200.
        on_refusal: Called with the error and the problem of each refusal, and returns what stands in the
            ``extensions`` besides code, missing and status, and another ``message``; or None (Law 1.10).
        execution_context: Strawberry's.

    Raises:
        TypeError: If the default is no policy, or a class made of this one replaces ``on_execute``.
        ConfigurationError: If the default can never be judged, or ``on_refusal`` is no plain function.
    """

    def __init_subclass__(cls, **options: Any) -> None:
        """Classes made of this one may do more, but not leave out what it does."""
        super().__init_subclass__(**options)
        if "on_execute" in vars(cls) and cls.__module__ != __name__:
            raise TypeError(
                f"{cls.__name__}.on_execute would replace the check of AuthGateExtension: use on_operation"
            )

    def __new__(cls, *_args: Any, **_kwargs: Any) -> Self:
        """Strawberry asks the class, before it has an instance, whether its hooks wait: in a loop they do."""
        made: type[Self] = cls if running_loop() is None else _waiting(cast("Any", cls))
        return super().__new__(made)

    def __init__(
        self,
        *,
        default: Policy | None = None,
        gate: Gate | AsyncGate | None = None,
        http_status: bool = False,
        on_refusal: OnRefusal | None = None,
        execution_context: ExecutionContext | None = None,
    ) -> None:
        super().__init__(execution_context=execution_context)
        self._default: Final = None if default is None else requirement(default)
        self._gate: Final = gate
        self._status: Final = http_status
        self._words: Final = checked_words(on_refusal)

    def on_execute(self) -> Any:  # noqa: ANN401 - Strawberry takes hooks of both colours
        """Give the operation its gate, hold it against the default, and word what its resolvers refused themselves.

        Raises:
            ConfigurationError: If the schema was given an instance.
            Refusal: If the operation is refused as a whole.
        """
        self._begin()
        for asked in self._asked_of_all():
            if not is_checked(asked, self.execution_context.context):
                raise _shared()
        yield
        self._word(self.execution_context.result)

    async def on_stream_result(self, result: object) -> AsyncIterator[None]:
        """Word the errors of one result of many, and let it go only to whom the guards would let in still (Law 5.13).

        Raises:
            Refusal: If they would not, which ends the stream.
        """
        refused = await ended(self.execution_context.context)
        if refused is not None:
            raise refused
        self._word(result)
        yield

    @property
    def default(self) -> Requirement | None:
        """What is asked of an operation with root fields that say nothing themselves."""
        return self._default

    @property
    def gate(self) -> Gate | AsyncGate | None:
        """Who judges, where that is not the gate of the app around the view."""
        return self._gate

    def _begin(self) -> None:
        given: Iterable[object] = self.execution_context.schema.extensions
        if any(one is self for one in given):
            raise _shared()
        if self._gate is not None or self._status or self._words is not None:
            self._visit()

    def _visit(self) -> Visit:
        visit = visit_of(self.execution_context.context, self._gate)
        visit.answers_status = visit.answers_status or self._status
        visit.words = visit.words or self._words
        return visit

    def _operation(self) -> Operation:
        context = self.execution_context
        document = cast("DocumentNode", context.graphql_document)  # it is parsed before it is executed
        return Operation(schema_of(context.schema), document, context.operation_name)

    def _asked_of_all(self) -> tuple[Requirement, ...]:
        return (self._default,) if self._default is not None and self._operation().open_fields() else ()

    def _word(self, result: object) -> None:
        errors: list[GraphQLError] | None = getattr(result, "errors", None)
        if errors and any(isinstance(error.original_error, AuthgateError) for error in errors):
            cast("Any", result).errors = [self._worded(error) for error in errors]

    def _worded(self, error: GraphQLError) -> GraphQLError:
        raised = error.original_error
        if not isinstance(raised, AuthgateError):
            return error
        context = self.execution_context.context
        return located_error(worded(raised, known_visit(context), context), error.nodes, error.path)


class _Waiting(AuthGateExtension):
    """In a running event loop."""

    async def on_execute(self) -> AsyncIterator[None]:
        """The same, and know whatever the guards of the operation will ask before the first of them does.

        Raises:
            ConfigurationError: If the schema was given an instance.
            Refusal: If the operation is refused as a whole.
        """
        self._begin()
        context = self.execution_context.context
        for asked in self._asked_of_all():
            await check(asked, context)
        requirements = self._operation().requirements()
        if requirements:
            visit = self._visit()
            for asked in requirements:
                if visit.verdict(asked) is None:
                    await visit.settle(asked)
        yield
        self._word(self.execution_context.result)

    def __repr__(self) -> str:
        return "AuthGateExtension in a running event loop, where `await schema.execute(...)` is due; it"


@cache
def _waiting(cls: type[AuthGateExtension]) -> Any:  # noqa: ANN401 - the class with another one before it
    """Such an extension for running event loops."""
    return type(cls.__name__, (_Waiting, cls), {"__module__": __name__})


def _shared() -> ConfigurationError:
    """Made for one operation it would hold another one against that one's request, or could not wait for it."""
    return ConfigurationError(
        "a schema makes an AuthGateExtension for each operation: give it the class, or with arguments "
        "extensions=[partial(AuthGateExtension, default=is_user)]"
    )
