"""Import modules of one package where nothing else is installed, and exit non-zero if an unwanted library came along.

Usage: ``python -I import_alone.py MODULE[,MODULE ...] [UNWANTED ...]``
"""

from __future__ import annotations

import importlib
import importlib.util
import sys

modules, *unwanted = sys.argv[1:]
for module in modules.split(","):
    importlib.import_module(module)
if imported := sorted(set(unwanted) & set(sys.modules)):
    sys.exit(f"importing {modules} imported {imported}")
if installed := [library for library in unwanted if importlib.util.find_spec(library)]:
    sys.exit(f"installing {modules} brought {installed}")
