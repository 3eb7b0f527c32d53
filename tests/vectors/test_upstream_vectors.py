"""Public vectors: what other libraries and suites expect of a verifier, and where a law of ours refuses more."""

from __future__ import annotations

import os
import socket
from collections import Counter
from pathlib import Path
from typing import Final

import pytest

from tests.vectors.differences import DIFFERENCES, TWINS, Difference
from tests.vectors.upstream import Case, answer, load

CASES: Final = load(Path(os.environ["AUTHGATE_VECTORS"]))
STRICTER: Final = {case: difference for difference in DIFFERENCES for case in difference.cases}
AS_EXPECTED: Final = [case for case in CASES.values() if case.id not in {*STRICTER, *TWINS}]


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """No socket is opened and no name looked up, whatever a header names (Law 3.3)."""

    def refuse(*arguments: object, **options: object) -> None:
        pytest.fail(f"reached for the network: {arguments}")

    for name in ("socket", "create_connection", "getaddrinfo"):
        monkeypatch.setattr(socket, name, refuse)


class TestFile:
    def test_no_case_is_missing(self) -> None:
        """Every case of both layers is in the file, and no id twice."""
        assert {"jws": 786, "jwt_upstream": 109} == Counter(case.layer for case in CASES.values())

    def test_every_difference_is_one_of_them(self) -> None:
        """What is listed exists, once, and says accept: of "either" nothing can differ."""
        listed = [case for difference in DIFFERENCES for case in difference.cases]

        assert len(STRICTER) == len(listed)
        assert {"accept"} == {CASES[case].expected for case in listed}


class TestVectors:
    @pytest.mark.parametrize("case", AS_EXPECTED, ids=lambda case: case.id)
    def test_the_answer_is_as_expected(self, case: Case) -> None:
        """Laws 3.1 to 3.4 and 3.11: the expected verdict, in time, and no exception but authgate's own."""
        given = answer(case)

        assert case.expected in {given.verdict, "either"}, given.reason
        assert given.took_ms <= case.max_ms

    @pytest.mark.parametrize(("case", "difference"), STRICTER.items())
    def test_the_answer_is_stricter_by_a_law(self, case: str, difference: Difference) -> None:
        """A listed case is refused by its law; once it is accepted the entry is stale and this fails."""
        given = answer(CASES[case])

        assert ("reject", True) == (given.verdict, given.reason.startswith(difference.refusal)), given.reason
        assert given.took_ms <= CASES[case].max_ms

    @pytest.mark.parametrize(("case", "twin"), TWINS.items())
    def test_a_case_that_contradicts_another(self, case: str, twin: str) -> None:
        """Two cases of one input and two verdicts: the input is well formed and truly signed, so it is accepted."""
        one, other = CASES[case], CASES[twin]

        assert (one.token, one.jwks, one.config) == (other.token, other.jwks, other.config)
        assert ("reject", "accept") == (one.expected, other.expected)
        assert "accept" == answer(one).verdict
