"""What whoever has installed authgate-core gets: run against the built wheel as well, where nothing else is."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from importlib.metadata import metadata, version
from importlib.resources import files

import pytest

import authgate_core as ag
from authgate_core.testing import FakeIssuer


class TestInstalled:
    def test_a_gate_admits_and_refuses(self) -> None:
        """With keys fetched from a real issuer, and a token that is revoked at once (Law 5.1)."""
        with FakeIssuer(audience="orders-api") as issuer:
            trusted = ag.Issuer.oidc(issuer.url, audience="orders-api")
            config = ag.GateConfig(issuers=[trusted], revocation=ag.MemoryRevocation())
            with ag.Gate(config) as gate:
                token = issuer.token("u1", scope="orders:read")
                assert "u1" == gate.verify_token(token, ag.all_scopes("orders:read")).user.id
                with pytest.raises(ag.BadSignature):
                    gate.verify_token(issuer.hostile.forged("u1"))
                gate.revocations.revoke_token(token)
                with pytest.raises(ag.TokenRevoked):
                    gate.verify_token(token)

    def test_so_does_an_async_gate(self) -> None:
        """The other colour needs nothing that is not installed."""

        async def admitted(issuer: FakeIssuer) -> str:
            trusted = ag.Issuer.oidc(issuer.url, audience="orders-api")
            async with ag.AsyncGate(ag.GateConfig(issuers=[trusted])) as gate:
                return (await gate.verify_token(issuer.token("u1"))).user.id

        with FakeIssuer(audience="orders-api") as issuer:
            assert "u1" == asyncio.run(admitted(issuer))

    def test_the_module_is_a_command(self) -> None:
        """It mints a key of the form that keys have (Law 6.7)."""
        command = [sys.executable, "-I", "-m", "authgate_core", "api-key", "--prefix", "shop"]
        printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout

        key, table = printed.splitlines()[:2]
        assert f"shop_{table.strip('[]')}" == key.rpartition("_")[0]

    def test_types_and_licence_came_along(self) -> None:
        """Type checkers look for a marker, and lawyers for a file."""
        assert files(ag).joinpath("py.typed").is_file()
        assert ["LICENSE"] == metadata("authgate-core").get_all("License-File")
        assert version("authgate-core") == metadata("authgate-core")["Version"]
