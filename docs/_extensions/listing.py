"""Writes the pages of reference/api: what the docstrings say of every name that reference/names.md lists.

A page there holds its heading and one line, ``<!-- names of MODULE -->``. The line becomes the list of that module
in names.md, with a section for each group, and with autodoc's directive in the place of each name. So a name that a
package exports is on its page by standing in the list, which a test keeps equal to ``__all__``.
"""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

__all__ = ["setup"]

_CORE = "authgate_core"
_PLACE = re.compile(r"^<!-- names of ([\w.]+) -->$", re.MULTILINE)
_GROUP = re.compile(r"^\*\*(.+)\*\*$")
_RELATIVE = re.compile(r"\]\((?=[\w./-]+\.md)")  # a link of names.md, from one folder deeper
_NAME = re.compile(r"^- `(\w+)`: (.+)$")


def setup(app: Sphinx) -> ExtensionMetadata:
    """Have the pages written when Sphinx reads them."""
    app.connect("source-read", _fill)
    return {"version": "1", "parallel_read_safe": True}


def _fill(app: Sphinx, _document: str, source: list[str]) -> None:
    names = (Path(app.srcdir) / "reference" / "names.md").read_text("utf-8")
    source[0] = _PLACE.sub(lambda place: "\n".join(_listed(place[1], names)), source[0])


def _listed(module: str, names: str) -> Iterator[str]:
    """The lines of a module's section of names.md, as a page of directives.

    Raises:
        ValueError: If names.md has no such section.
    """
    section = re.search(rf"^## `{re.escape(module)}`$(.*?)(?=^## |\Z)", names, re.MULTILINE | re.DOTALL)
    if section is None:
        raise ValueError(f"names.md has no section for {module}")
    for line in section[1].splitlines():
        if group := _GROUP.match(line):
            yield f"## {group[1]}"
        elif name := _NAME.match(line):
            yield from _documented(module, name[1], name[2])
        else:
            yield _RELATIVE.sub("](../", line)


def _documented(module: str, name: str, said: str) -> Iterator[str]:
    value: object = getattr(importlib.import_module(module), name)
    if inspect.ismodule(value) or _is_elsewhere(module, name, value):
        yield f"- `{module}.{name}`: {said}"
        return
    yield "```{eval-rst}"
    if inspect.isclass(value):
        is_error = issubclass(value, BaseException)
        yield f".. {'autoexception' if is_error else 'autoclass'}:: {module}.{name}"
        yield from () if is_error else ("   :members:", "   :inherited-members: object")
    elif inspect.isfunction(value):
        yield f".. autofunction:: {module}.{name}"
    else:  # a value that is no function, such as a proxy, says nothing of itself
        yield from (f".. py:data:: {module}.{name}", "", f"   {said[0].upper()}{said[1:].replace('`', '``')}")
    yield "```"


def _is_elsewhere(module: str, name: str, value: object) -> bool:
    """Whether a package repeats what ``authgate_core`` exports, on whose page it is documented."""
    return module != _CORE and getattr(importlib.import_module(_CORE), name, None) is value
