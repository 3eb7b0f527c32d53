"""What the architecture tests look for in a syntax tree; each check lists what it found, by line."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator

ENVIRONMENT = frozenset({"environ", "environb", "getenv", "getenvb"})
LOOKUPS = frozenset({"get", "get_all", "getall", "getlist", "values"})

_Definition = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def imports(tree: ast.AST, *libraries: str) -> list[str]:
    """Absolute imports of a library or of anything inside it, also inside functions."""
    return [
        f"line {line}: imports {name}"
        for line, name in _imported(tree)
        if any(name == library or name.startswith(f"{library}.") for library in libraries)
    ]


def waits(tree: ast.AST) -> list[str]:
    """Everything that is async."""
    return [
        f"line {_line(node)}: {type(node).__name__}"
        for node in ast.walk(tree)
        if isinstance(node, ast.AsyncFunctionDef | ast.Await | ast.AsyncFor | ast.AsyncWith)
        or (isinstance(node, ast.comprehension) and node.is_async)
    ]


def reads_environment(tree: ast.AST) -> list[str]:
    """Uses of the process's environment, and imports of the library that reads it."""
    direct = [
        f"line {node.lineno}: os.{node.attr}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and node.attr in ENVIRONMENT
        and isinstance(node.value, ast.Name)
        and node.value.id == "os"
    ]
    return direct + imports(tree, *(f"os.{name}" for name in ENVIRONMENT), "pydantic_settings", "dotenv")


def mentions(tree: ast.AST, constants: Collection[str], literals: Collection[str]) -> list[str]:
    """Uses of a named constant, or of its literal value in any case."""
    return [
        f"line {_line(node)}: {found}"
        for node in ast.walk(tree)
        if (found := _mentioned(node)) is not None and (found in constants or found.lower() in literals)
    ]


def looks_up(tree: ast.AST, constants: Collection[str], literals: Collection[str]) -> list[str]:
    """Readings of a header: a subscript, a ``get`` or its like, or a comparison, with the header's name."""
    return [
        found
        for node in ast.walk(tree)
        for key in _keys(node)
        for found in mentions(key, constants, literals)
    ]


def asserts(tree: ast.AST) -> list[str]:
    """Assert statements, which ``python -O`` removes."""
    return [f"line {node.lineno}: assert" for node in ast.walk(tree) if isinstance(node, ast.Assert)]


def undocumented(tree: ast.Module) -> list[str]:
    """Public classes, functions and methods without a docstring."""
    return [
        f"line {node.lineno}: {node.name}"
        for node in _public(tree)
        if ast.get_docstring(node) is None and not _is_overload(node)
    ]


def _imported(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def _mentioned(node: ast.AST) -> str | None:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.alias(name=name):
            return name
        case ast.Constant(value=str(text)):
            return text
        case _:
            return None


def _keys(node: ast.AST) -> list[ast.expr]:
    match node:
        case ast.Subscript(slice=key, ctx=ast.Load()):
            return [key]
        case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name), args=arguments) if name in LOOKUPS:
            return arguments
        case ast.Compare(left=left, comparators=others):
            return [left, *others]
        case _:
            return []


def _public(tree: ast.Module | ast.ClassDef) -> Iterator[_Definition]:
    for node in tree.body:
        if isinstance(node, _Definition) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from _public(node)


def _is_overload(node: _Definition) -> bool:
    return any(isinstance(one, ast.Name) and one.id == "overload" for one in node.decorator_list)


def _line(node: ast.AST) -> int:
    return node.target.lineno if isinstance(node, ast.comprehension) else getattr(node, "lineno", 0)
