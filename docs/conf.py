"""How Sphinx builds these pages; ``nox -s docs`` runs it, and no warning passes."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

_HERE = Path(__file__).parent
_CORE = _HERE.parent / "packages" / "authgate-core" / "pyproject.toml"
sys.path.insert(0, str(_HERE / "_extensions"))

project = "authgate"
version = release = tomllib.loads(_CORE.read_text("utf-8"))["project"]["version"]

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "listing"]
exclude_patterns = ["_build", "_extensions"]
myst_heading_anchors = 3  # what a link of one page to a heading of another goes by

html_theme = "furo"
html_title = f"authgate {release}"
html_static_path = ["_static"]
html_css_files = ["authgate.css"]
html_copy_source = False
html_show_copyright = False
html_show_sphinx = False

autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
napoleon_google_docstring = True
napoleon_numpy_docstring = False
python_maximum_signature_line_length = 88
toc_object_entries_show_parents = "hide"
