"""One target under Atheris, in a process of its own: libFuzzer never gives its process back."""

from __future__ import annotations

import logging
import sys

import atheris

with atheris.instrument_imports(include=["authgate_core"]):
    from .target import load


def main() -> None:
    """Fuzz the target that the first argument names; the others are libFuzzer's."""
    name, *options = sys.argv[1:]
    logging.getLogger("authgate").addHandler(logging.NullHandler())
    with atheris.instrument_imports(include=["authgate_core"]):
        target = load(name)
    atheris.Setup([sys.argv[0], *options], target.probe)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
