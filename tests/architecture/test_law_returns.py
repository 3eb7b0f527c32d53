"""No callable returns a value or an awaitable, whichever it is (Law 9.1)."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from tests.architecture.house import PACKAGES, modules

EXCEPTIONS = {
    # Strawberry asks a permission so: it awaits what can be awaited there and refuses the rest (ADR 16).
    ("authgate_graphql.strawberry.permissions", "has_permission"),
}
AWAITABLE = frozenset({"Awaitable", "Coroutine", "Future", "Task"})


def alternatives(annotation: ast.expr) -> list[ast.expr]:
    """The members of a union, in either spelling; of anything else the annotation itself."""
    match annotation:
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return alternatives(left) + alternatives(right)
        case ast.Subscript(value=ast.Name(id="Union"), slice=ast.Tuple(elts=members)):
            return [one for member in members for one in alternatives(member)]
        case ast.Subscript(value=ast.Name(id="Optional"), slice=member):
            return [*alternatives(member), ast.Constant(value=None)]
        case ast.Constant(value=str(text)):
            return alternatives(ast.parse(text, mode="eval").body)
        case _:
            return [annotation]


def is_awaitable(annotation: ast.expr) -> bool:
    """Whether a type is one that must be awaited."""
    match annotation:
        case ast.Subscript(value=value):
            return is_awaitable(value)
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name in AWAITABLE
        case _:
            return False


def mixed(tree: ast.AST) -> Iterator[str]:
    """Functions and types of callables that return a value or an awaitable, by line."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name, returns=ast.expr() as returned):
                pass
            case ast.Subscript(
                value=ast.Name(id="Callable" as name), slice=ast.Tuple(elts=[_, ast.expr() as returned])
            ):
                pass
            case _:
                continue
        answers = {is_awaitable(one) for one in alternatives(returned)}
        if len(answers) > 1:
            yield f"line {node.lineno}: {name}"


class TestReturns:
    @pytest.mark.parametrize("package", PACKAGES)
    def test_a_value_or_an_awaitable_and_never_either(self, package: str) -> None:
        """Law 9.1: whether to await is known from the name alone; of private callables and of ports as well."""
        found = [(str(one), what) for one in modules(package) for what in mixed(one.tree)]
        assert [] == [(one, what) for one, what in found if (one, what.split()[-1]) not in EXCEPTIONS]

    @pytest.mark.parametrize(
        "source",
        [
            "def f() -> int | Awaitable[int]: ...",
            "def f() -> Awaitable[int] | None: ...",
            "def f() -> Union[int, Coroutine[Any, Any, int]]: ...",
            "def f() -> Optional[Awaitable[int]]: ...",
            "def f() -> 'int | collections.abc.Awaitable[int]': ...",
            "Check = Callable[[int], bool | Awaitable[bool]]",
        ],
    )
    def test_either_is_found(self, source: str) -> None:
        """In every spelling."""
        assert 1 == len(list(mixed(ast.parse(source))))

    @pytest.mark.parametrize(
        "source",
        [
            "def f() -> Awaitable[int]: ...",
            "async def f() -> int | None: ...",
            "def f() -> Awaitable[int | None]: ...",
            "def f() -> int | None: ...",
            "Run = Callable[[int], Awaitable[int]]",
        ],
    )
    def test_one_of_them_is_not(self, source: str) -> None:
        """What is always awaited, or never, is what the law asks for."""
        assert [] == list(mixed(ast.parse(source)))
