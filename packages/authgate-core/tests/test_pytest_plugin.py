"""The pytest plugin, as a project sees it in which authgate-core is installed."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytest_plugins = ["pytester"]

LOADED = """
import sys

before = set(sys.modules)
import pytest_authgate

print(*sorted(set(sys.modules) - before))
"""


class TestLoading:
    """pytest does so for every project on the machine that has authgate installed."""

    def test_nothing_heavy_is_imported(self) -> None:
        """Beside what pytest has imported itself, the plugin is one module."""
        script = f"import pytest{LOADED}"
        found = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)

        assert ["pytest_authgate"] == found.stdout.split()

    def test_by_its_entry_point(self, pytester: pytest.Pytester) -> None:
        """A project has the fixtures without a line of its own, and pays nothing where no test asks for one."""
        pytester.makepyfile(
            """
            import sys

            def test_nobody_asks():
                assert "pytest_authgate" in sys.modules
                assert "authgate_core" not in sys.modules
            """
        )

        pytester.runpytest_subprocess("-p", "no:valkey", "-p", "no:hypothesispytest").assert_outcomes(
            passed=1
        )


class TestFixtures:
    """What a test may ask for."""

    def test_an_issuer_and_its_tokens(self, pytester: pytest.Pytester) -> None:
        """One real issuer for all tests, and tokens of it that a gate accepts."""
        pytester.makepyfile(
            """
            import authgate_core as ag
            import httpx2
            import pytest

            @pytest.fixture(scope="module")
            def gate(authgate_issuer):
                trusted = ag.Issuer.oidc(authgate_issuer.url, audience=authgate_issuer.audience)
                with ag.Gate(ag.GateConfig(issuers=[trusted])) as gate:
                    yield gate

            def test_it_is_served(authgate_issuer):
                assert 200 == httpx2.get(authgate_issuer.discovery_url).status_code

            def test_tokens(gate, authgate_token):
                admission = gate.verify_token(authgate_token("ann", scope="orders:read"))
                assert ("ann", ("orders:read",)) == (admission.user.id, admission.user.scopes)
                assert "test-api" == admission.user.claims["aud"]
            """
        )

        pytester.runpytest_subprocess("-p", "no:valkey").assert_outcomes(passed=2)

    def test_an_audience_of_ones_own(self, pytester: pytest.Pytester) -> None:
        """A fixture says it."""
        pytester.makeconftest(
            """
            import pytest

            @pytest.fixture(scope="session")
            def authgate_audience():
                return "orders-api"
            """
        )
        pytester.makepyfile(
            """
            def test_it_is_that(authgate_issuer):
                assert "orders-api" == authgate_issuer.audience
            """
        )

        pytester.runpytest_subprocess("-p", "no:valkey").assert_outcomes(passed=1)
