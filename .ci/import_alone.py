"""Import one package where nothing else is installed, and exit non-zero if an unwanted library came along.

Usage: ``python -I import_alone.py PACKAGE [UNWANTED ...]``
"""

from __future__ import annotations

import importlib
import importlib.util
import sys

package, *unwanted = sys.argv[1:]
importlib.import_module(package)
if imported := sorted(set(unwanted) & set(sys.modules)):
    sys.exit(f"importing {package} imported {imported}")
if installed := [library for library in unwanted if importlib.util.find_spec(library)]:
    sys.exit(f"installing {package} brought {installed}")
