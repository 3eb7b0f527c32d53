"""Import modules of one package where nothing else is installed, and exit non-zero if an unwanted library came along.

Usage: ``python -I import_alone.py MODULE[,MODULE ...] [UNWANTED ...]``
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path

modules, *unwanted = sys.argv[1:]
for name in modules.split(","):
    module = importlib.import_module(name)
    if not Path(module.__file__ or "").is_relative_to(sys.prefix):
        sys.exit(f"{name} was imported from {module.__file__}, which is not what was installed")
if imported := sorted(set(unwanted) & set(sys.modules)):
    sys.exit(f"importing {modules} imported {imported}")
if installed := [library for library in unwanted if importlib.util.find_spec(library)]:
    sys.exit(f"installing {modules} brought {installed}")
