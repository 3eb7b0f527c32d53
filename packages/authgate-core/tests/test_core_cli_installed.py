"""What whoever has installed authgate-core[cli] gets: run against the built wheel as well."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PROGRAM = Path(sys.executable).parent / "authgate"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the program that the wheel has put beside Python."""
    return subprocess.run([str(PROGRAM), *arguments], capture_output=True, text=True, check=False)


class TestProgram:
    def test_it_says_what_it_does(self) -> None:
        """And names its commands."""
        asked = run("--help")
        assert (0, True) == (asked.returncode, "api-key" in asked.stdout)

    def test_it_mints(self) -> None:
        """A key of the form that keys have (Law 6.7)."""
        minted = run("api-key", "--prefix", "shop")
        assert (0, True) == (minted.returncode, minted.stdout.startswith("shop_"))

    def test_a_wrong_argument_is_one_line(self) -> None:
        """With an exit code, and no traceback."""
        asked = run("api-key", "--prefix", "not a prefix")
        assert 0 != asked.returncode
        assert "Traceback" not in asked.stderr
