"""``authgate revoke``: what it writes is what a gate refuses from then on."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator

import pytest

import authgate_core as ag
from authgate_core.cli.here import Here
from authgate_core.cli.program import run
from authgate_core.clock import SystemClock
from authgate_core.io.memory import AsyncMemoryStore, MemoryStore
from authgate_core.testing import FakeIssuer

SECRET = "a-chosen-secret-of-thirty-two-characters"


@pytest.fixture
def issuer() -> FakeIssuer:
    """An issuer whose keys are known."""
    return FakeIssuer(audience="orders-api", algorithm="EdDSA")


@pytest.fixture
def config(issuer: FakeIssuer) -> ag.GateConfig:
    """A gate whose revocations are where the command finds them too: in a store of the application's own."""
    return ag.GateConfig(
        issuers=[ag.Issuer.static(issuer.jwks(), issuer=issuer.url, audience=issuer.audience, name="id")],
        projects=ag.StaticProjects({"shop": {"secret": SECRET, "secret_version": 1}}),
        revocation=MemoryStore(SystemClock()),
    )


@pytest.fixture
def gate(config: ag.GateConfig) -> Iterator[ag.Gate]:
    """The gate of a service that runs meanwhile."""
    with ag.Gate(config) as running:
        yield running


Revoke = Callable[..., int]


@pytest.fixture
def revoke(config: ag.GateConfig) -> Revoke:
    """Runs ``authgate revoke``; answers the exit code."""
    return lambda *arguments: run(["revoke", *arguments], here=Here(config))


class TestRevoked:
    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["token", "the-jti"], "revoked: the token"),
            (["session", "s1"], "revoked: session 's1'"),
            (["subject", "u1", "--issuer", "id"], "revoked: what 'u1' was issued before "),
            (["client", "c1"], "revoked: what client 'c1' was issued before "),
            (["key", "key-1"], "revoked: key 'key-1'"),
        ],
    )
    def test_is_refused_from_then_on(
        self,
        arguments: list[str],
        said: str,
        issuer: FakeIssuer,
        gate: ag.Gate,
        revoke: Revoke,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        """A token that was good is refused once the command has ended, and one line says what was done."""
        token = issuer.token("u1", jti="the-jti", sid="s1", client_id="c1")
        gate.verify_token(token)

        assert 0 == revoke(*arguments)
        assert capsys.readouterr().out.startswith(said)
        with pytest.raises(ag.TokenRevoked):
            gate.verify_token(token)

    def test_a_whole_token(
        self, issuer: FakeIssuer, gate: ag.Gate, revoke: Revoke, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A token that is read from standard input, as people have it."""
        token = issuer.token("u1")
        monkeypatch.setattr(sys, "stdin", io.StringIO(f"  {token}\n"))

        assert 0 == revoke("token", "--stdin")
        with pytest.raises(ag.TokenRevoked):
            gate.verify_token(token)

    def test_the_secrets_of_a_project(self, gate: ag.Gate, revoke: Revoke) -> None:
        """Law 6.4: below the version that is named none is accepted."""
        request = ag.RequestView("GET", "/", [("x-app-id", "shop"), ("x-app-secret", SECRET)])
        gate.admit(request, ag.is_project)

        assert 0 == revoke("project", "shop", "2")
        with pytest.raises(ag.InvalidProjectCredentials):
            gate.admit(ag.RequestView("GET", "/", request.headers), ag.is_project)

    def test_of_another_session(self, issuer: FakeIssuer, gate: ag.Gate, revoke: Revoke) -> None:
        """All of a user but one session, before a moment that is written out."""
        mine, other = (issuer.token("u1", sid=sid) for sid in ("s1", "s2"))
        # The cut-off of this second refuses what was issued in it (Law 5.7).
        assert 0 == revoke("subject", "u1", "--except-session", "s1")

        gate.verify_token(mine)
        with pytest.raises(ag.TokenRevoked):
            gate.verify_token(other)

    @pytest.mark.parametrize("before", ["2020-01-01T00:00:00Z", "2020-01-01T00:00:00"])
    def test_before_a_moment(self, before: str, issuer: FakeIssuer, gate: ag.Gate, revoke: Revoke) -> None:
        """What was issued later goes on; a moment without an offset is UTC."""
        assert 0 == revoke("client", "c1", "--before", before)
        gate.verify_token(issuer.token("u1", client_id="c1"))

    def test_in_a_tenant(self, issuer: FakeIssuer, config: ag.GateConfig) -> None:
        """A whole tenant, where the issuer has some."""
        trusted = ag.Issuer.static(
            issuer.jwks(), issuer=issuer.url, audience=issuer.audience, name="id", tenant="org"
        )
        with_tenants = ag.GateConfig(issuers=[trusted], revocation=config.revocation)
        other, acme = (issuer.token("u1", org=tenant) for tenant in ("other", "acme"))

        assert 0 == run(["revoke", "tenant", "acme"], here=Here(with_tenants))
        with ag.Gate(with_tenants) as gate:
            gate.verify_token(other)
            with pytest.raises(ag.TokenRevoked):
                gate.verify_token(acme)


class TestOfALoop:
    def test_is_refused_from_then_on(self, issuer: FakeIssuer, config: ag.GateConfig) -> None:
        """Law 9.4: a gate that only an event loop can use is revoked from, and asked to explain, all the same."""
        loops = ag.GateConfig(issuers=config.issuers, revocation=AsyncMemoryStore(SystemClock()))
        token = issuer.token("u1", sid="s1")

        assert 0 == run(["explain", token], here=Here(loops))
        assert 0 == run(["revoke", "session", "s1"], here=Here(loops))
        assert 1 == run(["explain", token], here=Here(loops))


class TestNotRevoked:
    @pytest.mark.parametrize(
        ("arguments", "line"),
        [
            (
                ["token"],
                "authgate: name the jti of the token, or give the whole token on standard input with --stdin",
            ),
            (["token", "x", "--stdin"], "authgate: name the jti of the token, or give the whole token"),
            (["token", "x", "--issuer", "nobody"], "authgate: issuer='nobody': name one of 'id'"),
            (
                ["session", "s", "--tenant", "t"],
                "authgate: tenant='t': issuer 'id' has no tenants; leave it out",
            ),
            (
                ["subject", "u1", "--before", "soon"],
                "authgate: --before: write a moment such as 2026-11-27T06:00:00Z",
            ),
            (["subject", "u1", "--before", "2999-01-01"], "authgate: "),
            (["project", "shop", "zero"], "authgate: Invalid value for "),
            ([], "authgate: Missing command"),
        ],
    )
    def test_a_wrong_argument(
        self, arguments: list[str], line: str, revoke: Revoke, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """What could match no token, or means nothing, is one line and exit code 2."""
        assert 2 == revoke(*arguments)
        out, err = capsys.readouterr()

        assert ("", 1) == (out, err.count("\n"))
        assert err.startswith(line)

    def test_a_forged_token(
        self,
        issuer: FakeIssuer,
        revoke: Revoke,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        """A forgery revokes nothing, and is not shown."""
        token = issuer.hostile.forged("u1")
        monkeypatch.setattr(sys, "stdin", io.StringIO(token))

        assert 2 == revoke("token", "--stdin")
        err = capsys.readouterr().err
        assert err.startswith("authgate: the signature of ")
        assert not [part for part in token.split(".") if part in err]

    @pytest.mark.parametrize("cut", [slice(None, 20), slice(None, -200)])
    def test_a_part_of_a_token(
        self,
        cut: slice,
        issuer: FakeIssuer,
        revoke: Revoke,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        """What was cut off while it was copied is no ``jti``: nobody is told that the token is revoked."""
        token = issuer.token("u1")
        monkeypatch.setattr(sys, "stdin", io.StringIO(token[cut].rpartition(".")[0] or token[cut]))

        assert 2 == revoke("token", "--stdin")
        assert (
            "authgate: that is a part of a token; give the whole of it, or its jti\n"
            == capsys.readouterr().err
        )

    @pytest.mark.parametrize(
        ("source", "line"),
        [
            (
                None,
                "revocation: no source that can be written to; give MemoryRevocation() or RedisRevocation(...)",
            ),
            (
                ag.MemoryRevocation(),
                "MemoryRevocation is the memory of one process, which no command reaches;",
            ),
            (ag.RedisRevocation("redis://127.0.0.1:1"), "Redis does not answer: "),
        ],
    )
    def test_nowhere_to_write(
        self, source: object, line: str, issuer: FakeIssuer, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Without a store that takes entries, or that answers, nothing is said to be revoked."""
        trusted = ag.Issuer.static(issuer.jwks(), issuer=issuer.url, audience=issuer.audience)
        config = ag.GateConfig(issuers=[trusted], revocation=source)  # type: ignore[arg-type]  # one of each kind

        assert 2 == run(["revoke", "session", "s1"], here=Here(config))
        out, err = capsys.readouterr()
        assert ("", 1) == (out, err.count("\n"))
        assert err.startswith(f"authgate: {line}")
