"""Making mutants of a module, with the operators of mutmut."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import libcst as cst
from libcst.metadata import MetadataWrapper, PositionProvider
from mutmut.mutation.mutators import mutation_operators

from .rooms import CORE, Room
from .rules import is_left_out, is_unnoticeable, unread

__all__ = ["Mutant", "mutants_of"]


@dataclass(frozen=True, slots=True)
class Mutant:
    """A module with one small change.

    Args:
        room: The room that it belongs to.
        path: The file that is changed.
        within: The function or class of the change, by its qualified name; empty for neither.
        was: The lines that are changed, as they are.
        now: The same lines in the mutant.
        nth: Which of several changes that read alike.
        lines: The lines of the outermost function around, from the first to the last; (0, 0) where there is none.
        function: Its qualified name; empty where the change takes effect when the module is loaded.
        source: The whole of the mutant's code.
    """

    room: str
    path: Path
    within: str
    was: str
    now: str
    nth: int
    lines: tuple[int, int]
    function: str
    source: str

    @property
    def file(self) -> str:
        """The file as the list of survivors names it."""
        return self.path.relative_to(CORE).as_posix()

    @property
    def module(self) -> str:
        """The module as it is imported."""
        parts = self.path.relative_to(CORE.parent).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@dataclass(frozen=True, slots=True)
class _Change:
    statement: int
    node: cst.CSTNode
    mutated: cst.CSTNode
    within: str
    lines: tuple[int, int]
    function: str


def mutants_of(room: Room) -> Iterator[Mutant]:
    """Every mutant of a room that no rule leaves out."""
    for path in room.sources():
        yield from _mutants_of(room.name, path)


def _mutants_of(room: str, path: Path) -> Iterator[Mutant]:
    wrapper = MetadataWrapper(cst.parse_module(path.read_text("utf-8")))
    module = wrapper.module
    finder = _Finder(module)
    wrapper.visit(finder)
    written = [module.code_for_node(statement) for statement in module.body]
    seen: Counter[tuple[str, str, str]] = Counter()
    for change in finder.changes:
        statement = module.body[change.statement].visit(_Replacing(change.node, change.mutated))
        if not isinstance(statement, cst.CSTNode):
            continue
        code = module.code_for_node(statement)
        was, now = _difference(written[change.statement], code)
        seen[change.within, was, now] += 1
        nth = seen[change.within, was, now]
        source = "".join((*written[: change.statement], code, *written[change.statement + 1 :]))
        yield Mutant(room, path, change.within, was, now, nth, change.lines, change.function, source)


def _difference(before: str, after: str) -> tuple[str, str]:
    """The lines that differ, without what surrounds them."""
    old, new = before.splitlines(), after.splitlines()
    while old and new and old[0] == new[0]:
        old, new = old[1:], new[1:]
    while old and new and old[-1] == new[-1]:
        old, new = old[:-1], new[:-1]
    return _joined(old), _joined(new)


def _joined(lines: list[str]) -> str:
    return " ".join(line.strip() for line in lines)


class _Replacing(cst.CSTTransformer):
    """Puts one node in the place of another."""

    def __init__(self, old: cst.CSTNode, new: cst.CSTNode) -> None:
        super().__init__()
        self._old = old
        self._new = new

    def on_visit(self, node: cst.CSTNode) -> bool:
        return node is not self._old

    def on_leave(
        self, original_node: cst.CSTNodeT, updated_node: cst.CSTNodeT
    ) -> cst.CSTNodeT | cst.RemovalSentinel | cst.FlattenSentinel[cst.CSTNodeT]:
        return self._new if original_node is self._old else updated_node  # type: ignore[return-value]  # an operator gives what may stand there


class _Finder(cst.CSTVisitor):
    """Walks a module and notes what the operators make of it."""

    METADATA_DEPENDENCIES = (PositionProvider,)

    def __init__(self, module: cst.Module) -> None:
        super().__init__()
        self.changes: list[_Change] = []
        self._statements = {statement: index for index, statement in enumerate(module.body)}
        self._statement = -1
        self._unread: set[cst.CSTNode] = set()
        self._names: list[str] = []
        self._functions: list[tuple[cst.FunctionDef, str]] = []
        self._defaults = 0

    def on_visit(self, node: cst.CSTNode) -> bool:
        self._statement = self._statements.get(node, self._statement)  # type: ignore[call-overload]  # any node may be looked up
        if is_left_out(node) or node in self._unread:
            return False
        self._unread.update(unread(node))
        if isinstance(node, (cst.ClassDef, cst.FunctionDef)):
            self._names.append(node.name.value)
        if isinstance(node, cst.FunctionDef):
            self._functions.append((node, ".".join(self._names)))
        self._defaults += isinstance(node, cst.Parameters) and len(self._functions) == 1
        if self._statement >= 0:
            self.changes += self._changes_of(node)
        return True

    def on_leave(self, original_node: cst.CSTNode) -> None:
        self._defaults -= isinstance(original_node, cst.Parameters) and len(self._functions) == 1
        if isinstance(original_node, (cst.ClassDef, cst.FunctionDef)):
            self._names.pop()
        if isinstance(original_node, cst.FunctionDef):
            self._functions.pop()

    def _changes_of(self, node: cst.CSTNode) -> Iterator[_Change]:
        for kind, operator in mutation_operators:
            for mutated in operator(node) if isinstance(node, kind) else ():
                if not is_unnoticeable(node, mutated):
                    within = ".".join(self._names)
                    yield _Change(self._statement, node, mutated, within, self._lines(), self._function())

    def _lines(self) -> tuple[int, int]:
        """Where the body of the outermost function around is."""
        if not self._functions:
            return 0, 0
        where = self.get_metadata(PositionProvider, self._functions[0][0].body)
        return where.start.line, where.end.line

    def _function(self) -> str:
        """Its name, if what is visited is a part of what runs when it is called."""
        return "" if not self._functions or self._defaults else self._functions[0][1]
