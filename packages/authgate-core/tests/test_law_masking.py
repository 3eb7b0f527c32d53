"""No secret shows: in no print of anything of authgate's, and in no time that a comparison takes (Law 2.5)."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import pytest

import authgate_core as ag
from authgate_core.request import Memo
from authgate_core.testing import FakeIssuer
from tests.support.gates import Face, face, view

HMAC_SECRET = "an-hmac-secret-of-more-than-thirty-two-bytes"
APP_SECRET = "an-app-secret-of-more-than-thirty-two-bytes"
REDIS_PASSWORD = "a-password-of-redis"
PROXY_PASSWORD = "a-password-of-the-proxy"


@pytest.fixture(name="colour", params=["sync", "async"])
def _colour(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(name="fake", scope="module")
def _fake() -> FakeIssuer:
    return FakeIssuer(url="https://id.test")


def configured(fake: FakeIssuer, **options: Any) -> ag.GateConfig:
    """A configuration with a secret in every place that takes one but Redis."""
    public = ag.Issuer.static(fake.jwks(), issuer=fake.url, audience=fake.audience, name="id")
    shared = ag.Issuer.static(ag.Secret(HMAC_SECRET), issuer="https://hmac.test", audience="a", name="hmac")
    proxy = f"http://user:{PROXY_PASSWORD}@127.0.0.1:3128"
    projects = ag.StaticProjects({"shop": {"secret": APP_SECRET}})
    plain = {"issuers": [public, shared], "projects": projects, "proxy": proxy, "shared_subjects": True}
    return ag.GateConfig(**{**plain, **options})


def reachable(*roots: object) -> Iterator[object]:
    """Every object of authgate's that can be reached through attributes, containers and closures."""
    seen: set[int] = set()
    waiting: list[object] = list(roots)
    while waiting:
        thing = waiting.pop()
        if id(thing) in seen or isinstance(thing, (str, bytes, int, float, type(None), type)):
            continue
        seen.add(id(thing))
        if type(thing).__module__.startswith("authgate_core") and not isinstance(thing, ag.Secret):
            yield thing
            waiting.extend(_attributes(thing))
        elif isinstance(thing, Mapping):
            waiting.extend((*thing.keys(), *thing.values()))
        elif isinstance(thing, (list, tuple, set, frozenset)):
            waiting.extend(thing)
        else:
            waiting.extend(_bound(thing))


def _attributes(thing: object) -> Iterator[object]:
    yield from getattr(thing, "__dict__", {}).values()
    for kind in type(thing).__mro__:
        slots = getattr(kind, "__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            yield getattr(thing, name, None)


def _bound(thing: object) -> Iterator[object]:
    yield getattr(thing, "__self__", None)
    for cell in getattr(thing, "__closure__", None) or ():
        yield cell.cell_contents


def shown(things: Iterable[object]) -> Iterator[str]:
    """Every way in which these print."""
    for thing in things:
        yield from (repr(thing), str(thing), f"{thing}", f"{[thing]}")


class TestEveryObject:
    """Law 2.5: repr and str of every authgate object are masked."""

    def test_of_a_gate_and_a_request(self, fake: FakeIssuer, colour: str) -> None:
        """The gate, its configuration, stores and caches, the request, its memo, and who was admitted."""
        gate, memo, token = face(colour, configured(fake)), Memo(), fake.token("u1")
        headers = (("Authorization", f"Bearer {token}"), ("x-app-id", "shop"), ("x-app-secret", APP_SECRET))
        request = view(*headers, memo=memo)
        admission = gate.admit(request, ag.is_user & ag.is_project)

        things = list(reachable(gate.gate, request, memo, admission))
        printed = "\n".join(shown(things))
        gate.close()

        kinds = {type(thing).__name__ for thing in things}
        assert {"KeySet", "Key", "Issuer", "StaticKeys", "GateConfig", "SafeHttp", "Memo", "User"} <= kinds
        assert {"BearerToken", "AppCredentials", "ProjectCache", "SecretHash", "RequestView"} <= kinds
        for private in (*token.split("."), HMAC_SECRET, APP_SECRET, PROXY_PASSWORD):
            assert private not in printed
        for secret in (HMAC_SECRET, APP_SECRET):
            assert secret.encode().hex() not in printed
            assert hashlib.sha256(secret.encode()).hexdigest() not in printed

    def test_of_a_gate_before_redis(self, fake: FakeIssuer, colour: str) -> None:
        """A password in the URL of Redis is in no object that was made of it, and in no outage of it."""
        revocation = ag.RedisRevocation(f"redis://user:{REDIS_PASSWORD}@127.0.0.1:1/0")
        gate = face(colour, configured(fake, revocation=revocation))
        with pytest.raises(ag.RevocationUnavailable) as caught:
            gate.verify_token(fake.token("u1"))

        things = list(reachable(gate.gate, caught.value))
        printed = "\n".join((*shown(things), *map(repr, _chain(caught.value))))
        gate.close()

        assert {"RedisRevocation", "Keeper"} <= {type(thing).__name__ for thing in things}
        assert REDIS_PASSWORD not in printed


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


class TestConstantTime:
    """Law 2.5: secrets are compared as digests of one length, by the function that is made for it."""

    @pytest.mark.parametrize(
        ("app_id", "secret"),
        [("shop", APP_SECRET), ("shop", APP_SECRET[:-1] + "x"), ("shop", "x"), ("nobody", APP_SECRET)],
    )
    def test_of_project_credentials(
        self, fake: FakeIssuer, colour: str, app_id: str, secret: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Right, wrong in its last letter, short or of nobody: two digests of 32 bytes, once."""
        compared: list[tuple[int, int]] = []
        compare = hmac.compare_digest

        def recorded(one: bytes, other: bytes) -> bool:
            compared.append((len(one), len(other)))
            return compare(one, other)

        gate = face(colour, configured(fake))
        monkeypatch.setattr(hmac, "compare_digest", recorded)
        with contextlib.suppress(ag.InvalidProjectCredentials):
            gate.admit(view(("x-app-id", app_id), ("x-app-secret", secret)), ag.is_project)
        gate.close()

        assert [(32, 32)] == compared


STRANGERS: dict[str, Callable[[FakeIssuer], str]] = {
    "kid": lambda fake: fake.token("u1", kid="a-kid-that-a-stranger-chose"),
    "iss": lambda fake: fake.token("u1", iss="https://an-issuer-that-a-stranger-chose.test"),
    "typ": lambda fake: fake.token("u1", headers={"typ": "a-type-that-a-stranger-chose"}),
    "alg": lambda fake: fake.token("u1", headers={"alg": "an-algorithm-that-a-stranger-chose"}),
    "claim": lambda fake: fake.hostile.tampered("u1", note="a-claim-that-a-stranger-chose"),
    "sub": lambda fake: fake.hostile.unsigned("a-subject-that-a-stranger-chose"),
}


class TestLogs:
    """Law 2.5: a log names a token by the first 8 hex digits of a SHA-256 at most."""

    @pytest.mark.parametrize("part", STRANGERS)
    def test_before_the_signature_nothing_of_it_is_said(
        self,
        fake: FakeIssuer,
        colour: str,
        part: str,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """Law 1.2: a length and a digest are all that is logged of what nobody has vouched for."""
        caplog.set_level(logging.DEBUG)
        gate, token = face(colour, configured(fake)), STRANGERS[part](fake)
        outcome = outcome_of(gate, token)
        gate.close()

        assert isinstance(outcome, ag.InvalidToken)
        printed = caplog.text + "".join(map(repr, _chain(outcome)))
        assert "that-a-stranger-chose" not in printed
        assert hashlib.sha256(token.encode()).hexdigest() not in printed

    def test_after_it_only_what_the_law_names(
        self, fake: FakeIssuer, colour: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Law 1.2: iss, aud, azp, typ, alg, kid and dates, through ascii() and cut; no other claim's value."""
        gate = face(colour, configured(fake))
        outcome_of(gate, fake.token("u1", aud="\u2028" + "x" * 100, email="somebody@private.test"))
        for name in ("token_use", "jti", "events", "cnf", "roles", "sub"):
            claims: dict[str, Any] = {"sub": "u1", name: [["a-private-value"]]}
            assert isinstance(outcome_of(gate, fake.token(**claims)), ag.InvalidClaim)
        gate.close()

        assert "\\u2028" + "x" * 57 in caplog.text
        for private in ("x" * 58, "\u2028", "somebody@private.test", "a-private-value"):
            assert private not in caplog.text


def outcome_of(gate: Face, token: str) -> ag.AuthgateError | None:
    """How a token was refused, if it was."""
    try:
        gate.verify_token(token)
    except ag.AuthgateError as error:
        return error
    return None
