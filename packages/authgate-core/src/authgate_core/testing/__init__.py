"""For tests, demos and examples: a real issuer, time that a test moves, flows stepped by hand.

Contract suites for ports of your own are in ``authgate_core.testing.contracts``, which alone needs pytest.
"""

from __future__ import annotations

from .apex import FakeApex
from .auth_service import FakeAuthService
from .clock import ManualClock
from .denials import assert_denied
from .guarded import assert_all_routes_guarded
from .hostile import HostileTokens
from .issuer import FakeIssuer
from .keys import SigningKey
from .mercury import FakeMercury, MercuryProject
from .proofs import ProofKey
from .shapes import ABSENT
from .standins import (
    as_api_key,
    as_nobody,
    as_project,
    as_service,
    as_user,
    async_gate_for_tests,
    gate_for_tests,
)
from .stepping import StepTrace, step
from .tokens import TokenMint

__all__ = [
    "ABSENT",
    "FakeApex",
    "FakeAuthService",
    "FakeIssuer",
    "FakeMercury",
    "HostileTokens",
    "ManualClock",
    "MercuryProject",
    "ProofKey",
    "SigningKey",
    "StepTrace",
    "TokenMint",
    "as_api_key",
    "as_nobody",
    "as_project",
    "as_service",
    "as_user",
    "assert_all_routes_guarded",
    "assert_denied",
    "async_gate_for_tests",
    "gate_for_tests",
    "step",
]
