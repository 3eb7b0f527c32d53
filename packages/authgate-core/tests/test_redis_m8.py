"""m8's blacklist in a real Valkey, in both colours: what is read, and that nothing is written."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

import authgate_core as ag
from authgate_core.errors import ConfigurationError, RevocationUnavailable
from authgate_core.principal import ProjectRef, TokenRef
from authgate_core.revocation import RedisRevocation
from authgate_core.testing import FakeIssuer
from authgate_core.testing.contracts.rows import entry_for_example
from tests.support.gates import bearer, face, view

OpenAny = Callable[..., Any]
NOBODY = "redis://127.0.0.1:1"
ADA = "7a1c0d6e-2f57-4b5b-9c4e-0123456789ab"


def token(name: str = "jti-1", *, has_jti: bool = True) -> TokenRef:
    """A token that is good for ten minutes."""
    now = time.time()
    return TokenRef("m8", None, name, has_jti, None, ADA, None, now - 60, None, now + 600, "k1")


@pytest.fixture
def open_m8(open_store: OpenAny) -> OpenAny:
    """Opens stores in m8's layout, which has no prefix that could be set."""
    return partial(open_store, layout="m8", prefix="authgate")


@pytest.fixture
def client(own_valkey: Any) -> Any:
    """m8's own way to the server."""
    return own_valkey.client()


class TestTokens:
    @pytest.mark.parametrize("kind", ["set", "rpush", "sadd"])
    def test_a_key_refuses_from_the_next_request_on(
        self, open_m8: OpenAny, own_valkey: Any, client: Any, kind: str
    ) -> None:
        """Law 5.1: that it is there is what counts, whatever it holds, and nothing is known without asking."""
        store = open_m8(own_valkey.url)
        assert "ask" == store.store.known(token())
        assert store.is_revoked(token()) is False
        getattr(client, kind)("jwt:blacklist:jti-1", b"\xff")
        assert [True, False] == [store.is_revoked(token(name)) for name in ("jti-1", "jti-2")]
        client.delete("jwt:blacklist:jti-1")
        assert store.is_revoked(token()) is False

    @pytest.mark.parametrize(
        "ref",
        [token("a b"), token("x" * 256), token("{j}"), token("j\r\nX"), token(""), token("7", has_jti=False)],
        ids=["blank", "long", "braces", "lines", "empty", "no jti"],
    )
    def test_what_fits_in_no_key(self, open_m8: OpenAny, ref: TokenRef) -> None:
        """Law 5.9: nobody could have listed it, so it is refused, and no server is asked about such a text."""
        store = open_m8(NOBODY)
        assert "revoked" == store.store.known(ref)
        assert store.is_revoked(ref) is True
        assert "unknown" == store.health().status

    def test_projects_are_none_of_its_business(self, open_m8: OpenAny) -> None:
        """Of project credentials it knows that nothing is listed, without asking."""
        store = open_m8(NOBODY)
        assert "clear" == store.store.known(ProjectRef("shop", 1))
        assert store.is_revoked(ProjectRef("shop", 1, "t-1")) is False


class TestOnTheWire:
    def test_what_is_asked(self, open_m8: OpenAny, own_valkey: Any, client: Any) -> None:
        """Laws 5.9 and 5.12: one key, in one round trip."""
        store = open_m8(own_valkey.url)
        store.is_revoked(token())
        client.ping()
        with own_valkey.client().monitor() as monitor:
            store.is_revoked(token())
            client.execute_command("ECHO", "over")
            seen: list[str] = []
            while not seen or seen[-1] != "ECHO over":
                seen.append(monitor.next_command()["command"])
        assert ["HELLO", "EXISTS jwt:blacklist:jti-1", "ECHO over"] == seen

    def test_it_may_read_and_no_more(self, open_m8: OpenAny, own_valkey: Any, client: Any) -> None:
        """Law 5.10: permission for one command on one kind of keys is enough, and nothing is ever written."""
        rights = ("~jwt:blacklist:*", "+exists")
        client.execute_command("ACL", "SETUSER", "reader", "on", ">pw", *rights)
        store = open_m8(f"redis://reader:pw@127.0.0.1:{own_valkey.port}")
        store.warm_up()
        assert store.is_revoked(token()) is False
        store.reload()
        with pytest.raises(ConfigurationError, match="m8's layout is read-only; a token is revoked there"):
            store.revoke(entry_for_example("token"))
        assert (0, "ok") == (client.dbsize(), store.health().status)

    def test_an_outage(self, open_m8: OpenAny, own_valkey: Any, client: Any) -> None:
        """Law 5.3: without an answer nothing passes, but where that was written out, and then not what was seen."""
        strict, lenient = open_m8(own_valkey.url), open_m8(own_valkey.url, on_error="allow")
        client.set("jwt:blacklist:jti-1", "1")
        assert lenient.is_revoked(token()) is True
        own_valkey.stop()
        with pytest.raises(RevocationUnavailable):
            strict.is_revoked(token())
        assert [True, False] == [lenient.is_revoked(token(name)) for name in ("jti-1", "jti-2")]
        assert "redis:m8" == strict.health().source

    def test_evicting_is_said(self, open_m8: OpenAny, own_valkey: Any, client: Any) -> None:
        """Law 5.10: under the name of the layout."""
        client.config_set("maxmemory-policy", "allkeys-lru")
        store = open_m8(own_valkey.url)
        store.is_revoked(token())
        assert [("revocation_eviction", "redis:m8")] == [(one.code, one.subject) for one in store.notices]


class TestSpecification:
    def test_whose_it_is(self) -> None:
        """Laws 5.8 and 5.9: the entries are m8's, so they are only read."""
        spec = RedisRevocation("redis://h", layout="m8")
        assert (True, "redis:m8", "m8") == (spec.is_foreign, spec.source, spec.owner)
        assert "RedisRevocation('redis://h', layout='m8', on_error='deny')" == repr(spec)

    @pytest.mark.parametrize(
        ("options", "problem"),
        [
            ({"prefix": "mine"}, "prefix: does nothing in m8's layout"),
            ({"feed": True}, "feed: m8's layout has none"),
        ],
    )
    def test_what_it_has_not(self, options: dict[str, Any], problem: str) -> None:
        """Law 1.6: a setting that would do nothing is a mistake."""
        (found,) = RedisRevocation("redis://h", layout="m8", **options).problems("sync")
        assert found.startswith(problem)


@pytest.mark.parametrize("colour", ["sync", "async"])
class TestGate:
    def test_the_whole_of_it(self, own_valkey: Any, client: Any, colour: str) -> None:
        """A token without ``iat`` is good where nothing judges by age, until m8 lists it."""
        fake = FakeIssuer(url="https://users.example.com", algorithm="ES256")
        trusted = ag.Issuer.m8(fake.jwks(), issuer=fake.url, audience=fake.audience)
        source = RedisRevocation(own_valkey.url, layout="m8")
        gate = face(colour, ag.GateConfig(issuers=[trusted], revocation=source))
        claims: dict[str, Any] = {"type": "access", "email": "a@b.c", "jti": "j-1"}
        presented = fake.token(ADA, headers={"typ": "JWT"}, iat=ag.testing.ABSENT, **claims)
        assert ADA == gate.admit(view(bearer(presented)), ag.is_user).user.id
        client.set("jwt:blacklist:j-1", "1")
        with pytest.raises(ag.TokenRevoked):
            gate.admit(view(bearer(presented)), ag.is_user)
        with pytest.raises(ConfigurationError, match="m8's layout is read-only; revoke there"):
            gate.revoke("revoke_token", "j-1")
        gate.close()

    def test_beside_a_store_of_ones_own(self, own_valkey: Any, colour: str) -> None:
        """What cuts off by age needs to know it (Law 3.7), and can be written to."""
        fake = FakeIssuer(url="https://users.example.com", algorithm="ES256")
        trusted = ag.Issuer.m8(fake.jwks(), issuer=fake.url, audience=fake.audience)
        sources = [RedisRevocation(own_valkey.url, layout="m8"), RedisRevocation(own_valkey.url)]
        gate = face(colour, ag.GateConfig(issuers=[trusted], revocation=sources))
        claims: dict[str, Any] = {"type": "access", "email": "a@b.c"}
        ageless = fake.token(ADA, headers={"typ": "JWT"}, iat=ag.testing.ABSENT, **claims)
        with pytest.raises(ag.InvalidClaim, match="iat: is missing"):
            gate.verify_token(ageless)
        presented = fake.token(ADA, headers={"typ": "JWT"}, **claims)
        assert ADA == gate.verify_token(presented).user.id
        gate.revoke("revoke_before", subject=ADA)
        with pytest.raises(ag.TokenRevoked):
            gate.verify_token(presented)
        gate.close()
