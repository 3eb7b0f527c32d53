"""What is not mutated, and why: nobody could be expected to notice.

- **Annotations, type aliases, type variables and casts** say something to type checkers alone.
- **Decorators** run when a module is loaded. What ``frozen`` and ``slots`` give is a habit of this house, which
  reviews keep, and no promise.
- **Names that a module exports** are compared with the documentation by a test of the architecture.
- **Prose**, a text of two words or more, or what joins them, is written for people who read a log or an exception;
  a test that pinned its wording would only copy it. Codes, claims, headers and whatever else a program reads hold no
  blank between words, and are mutated.
- **Names of encodings** mean the same in either case, and another name fails at once.
- **None for False** is the same answer wherever one is asked for.
- **``len`` and ``isinstance``** fail at once when an argument is taken away, which would only flatter the score.
"""

from __future__ import annotations

import re
from typing import Final

import libcst as cst
import libcst.matchers as m

__all__ = ["is_left_out", "is_unnoticeable", "unread"]

_PROSE: Final = re.compile(r"[A-Za-z]\S* +\S*[A-Za-z]|[\"' ] *[A-Za-z]+ [\"']")
_OBVIOUS: Final = m.Call(func=m.Name("len") | m.Name("isinstance"))
_CAST: Final = m.Call(func=m.Name("cast"))
_CODING: Final = m.Call(func=m.Attribute(attr=m.Name("encode") | m.Name("decode")))
_FALSE: Final = m.Arg(value=m.Name("False"))
_NONE: Final = m.Arg(value=m.Name("None"))
_TYPE_ALIAS: Final = m.AnnAssign(annotation=m.Annotation(m.Name("TypeAlias")))
_TYPE_VARIABLE: Final = m.Assign(value=m.Call(func=m.Name("TypeVar") | m.Name("ParamSpec")))
_EXPORTS: Final = m.Assign(targets=[m.AssignTarget(m.Name("__all__"))])


def is_left_out(node: cst.CSTNode) -> bool:
    """Whether nothing of this part of the code is mutated."""
    if isinstance(node, (cst.Annotation, cst.Decorator)) or m.matches(
        node, _TYPE_ALIAS | _TYPE_VARIABLE | _EXPORTS
    ):
        return True
    return isinstance(node, cst.BaseString) and _is_prose(node)


def unread(node: cst.CSTNode) -> list[cst.CSTNode]:
    """The parts of a node that say nothing when it runs: the type of a cast, the name of an encoding."""
    if isinstance(node, cst.Call) and m.matches(node, _CAST | _CODING):
        return [argument.value for argument in node.args[:1]]
    return []


def is_unnoticeable(node: cst.CSTNode, mutated: cst.CSTNode) -> bool:
    """Whether a mutation of a node changes no more than what rules leave out."""
    if m.matches(node, _OBVIOUS | _CAST):
        return True
    if isinstance(node, (cst.Assign, cst.AnnAssign)):
        return _is_prose(node.value) or (node.value is not None and m.matches(node.value, m.Name("False")))
    if isinstance(node, cst.Call) and isinstance(mutated, cst.Call):
        pairs = zip(node.args, (*mutated.args, None), strict=False)
        old, new = next((pair for pair in pairs if pair[0] is not pair[1]), (None, None))
        return old is not None and (_is_prose(old.value) or _is_none_for_false(old, new))
    return False


def _is_none_for_false(old: cst.Arg, new: cst.Arg | None) -> bool:
    return new is not None and m.matches(old, _FALSE) and m.matches(new, _NONE)


def _is_prose(node: cst.CSTNode | None) -> bool:
    if isinstance(node, cst.SimpleString):
        return _PROSE.search(node.value) is not None
    if isinstance(node, cst.FormattedString):
        parts = [part.value if isinstance(part, cst.FormattedStringText) else "{}" for part in node.parts]
        return _PROSE.search("".join(parts)) is not None
    return isinstance(node, cst.ConcatenatedString) and (_is_prose(node.left) or _is_prose(node.right))
