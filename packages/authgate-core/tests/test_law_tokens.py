"""A verified token is remembered for a minute; what may change meanwhile is judged at every hit (Laws 7.1 to 7.5)."""

from __future__ import annotations

import gc
import json
import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from types import FunctionType, ModuleType
from typing import Any

import pytest
import redis

import authgate_core as ag
from authgate_core.effects import RingName
from authgate_core.events import Decided, Notice
from authgate_core.flows import trust
from authgate_core.jose.keys import Key
from authgate_core.testing import ABSENT, FakeIssuer, ManualClock
from authgate_core.testing.issuer import JWKS_PATH
from tests.support.gates import Face, bearer, face, store, trusted, view

TAKEN_OUT = "a validator refused"


@dataclass
class Count:
    """How many signatures were checked."""

    checked: int = 0


@pytest.fixture(name="verified")
def _verified(monkeypatch: pytest.MonkeyPatch) -> Count:
    """Counts the signatures that are checked."""
    count, check = Count(), Key.verifies

    def counted(key: Key, alg: str, signing_input: bytes, signature: bytes) -> bool:
        count.checked += 1
        return check(key, alg, signing_input, signature)

    monkeypatch.setattr(Key, "verifies", counted)
    return count


@pytest.fixture(name="clock")
def _clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(name="fake")
def _fake(clock: ManualClock) -> FakeIssuer:
    return FakeIssuer(url="https://id.test", algorithm="EdDSA", clock=clock)


@pytest.fixture(name="make")
def _make(fake: FakeIssuer, clock: ManualClock, colour: str) -> Iterator[Callable[..., Face]]:
    """Makes gates of both colours around the static issuer; ``issuer`` are its options."""
    made: list[Face] = []

    def make(*, issuer: dict[str, Any] | None = None, **options: Any) -> Face:
        given = {"issuers": [trusted(fake, **(issuer or {}))], **options}
        made.append(face(colour, ag.GateConfig(**given), clock))
        return made[-1]

    yield make
    for gate in made:
        gate.close()


@pytest.fixture(name="served")
def _served(clock: ManualClock) -> Iterator[FakeIssuer]:
    """An issuer that is served."""
    with FakeIssuer(algorithm="EdDSA", clock=clock) as issuer:
        yield issuer


def fetching(served: FakeIssuer, **options: Any) -> dict[str, Any]:
    """The options of a gate that fetches the keys of a served issuer."""
    issuer = ag.Issuer.jwks(
        served.jwks_url, issuer=served.url, audience=served.audience, name="id", **options
    )
    return {"issuers": [issuer]}


def user(gate: Face, token: str, policy: ag.Policy = ag.is_user) -> ag.User:
    """Whom the gate admits."""
    return gate.admit(view(bearer(token)), policy).user


def refusal(gate: Face, token: str, policy: ag.Policy = ag.is_user) -> ag.AuthgateError:
    """Why the gate does not."""
    with pytest.raises(ag.AuthgateError) as caught:
        user(gate, token, policy)
    return caught.value


class TestRemembered:
    def test_a_token_is_verified_once_a_minute(
        self, make: Callable[..., Face], fake: FakeIssuer, clock: ManualClock, verified: Count
    ) -> None:
        """Law 7.1: by whatever door it comes, for less than 60 s."""
        gate, token = make(), fake.token("u1", roles=["clerk"])
        first = user(gate, token)
        clock.advance(59.9)
        assert first is user(gate, token)
        assert first is gate.verify_token(token).user
        assert 1 == verified.checked

        clock.advance(0.1)

        assert "u1" == user(gate, token).id
        assert 2 == verified.checked

    def test_the_name_is_the_whole_token(
        self, make: Callable[..., Face], fake: FakeIssuer, verified: Count
    ) -> None:
        """Law 7.1: with a bit of the signature changed, or of the claims, it is another token and refused."""
        gate, token = make(), fake.token("u1")
        assert user(gate, token)
        head, _, signature = token.rpartition(".")
        changed = f"{head}.{'B' if signature[0] != 'B' else 'C'}{signature[1:]}"

        assert "token_signature" == refusal(gate, changed).code
        assert 2 == verified.checked

    def test_no_more_than_configured(
        self, make: Callable[..., Face], fake: FakeIssuer, verified: Count
    ) -> None:
        """Law 7.1: bounded; ``verified_tokens=0`` remembers none."""
        small, none = make(verified_tokens=2), make(verified_tokens=0)
        tokens = [fake.token(f"u{number}") for number in range(3)]

        for gate, expected in ((small, 3 + 1), (none, 6)):
            verified.checked = 0
            for token in (*tokens, *reversed(tokens)):
                user(gate, token)
            assert expected == verified.checked

    def test_the_default(self) -> None:
        """Law 7.1: ten thousand tokens, a minute each."""
        assert 10_000 == ag.GateConfig().verified_tokens

    def test_gates_share_nothing(self, make: Callable[..., Face], fake: FakeIssuer) -> None:
        """Law 7.1: what one configuration accepts says nothing about another's."""
        gate, other = make(), make(issuer={"audience": "another-api"})
        token = fake.token("u1")
        assert user(gate, token)

        assert "token_claim" == refusal(other, token).code
        assert user(gate, token)

    def test_decided_from_memory(self, make: Callable[..., Face], fake: FakeIssuer) -> None:
        """Law 10.1: ``cached`` says that nobody had to be asked, which a hit alone does not mean."""
        events: list[Decided | Notice] = []
        gate = make(on_event=events.append)
        asking = make(on_event=events.append, revocation=store("sync" if gate_is_sync(gate) else "async"))
        token = fake.token("u1")

        for asked in (gate, gate, asking, asking):
            user(asked, token)

        assert [True, True, False, False] == [event.cached for event in events if isinstance(event, Decided)]


class TestNoSecretIsKept:
    def test_the_token_is_nowhere(self, make: Callable[..., Face], fake: FakeIssuer) -> None:
        """Law 7.1: what is remembered holds the digest, neither the token nor the signature that makes it one."""
        gate, token = make(), fake.token("u1", roles=["clerk"])
        assert user(gate, token)
        signature = token.rpartition(".")[2]

        assert not [text for text in texts_in(gate.gate._context.trust.memory) if signature in text]

    def test_what_is_remembered_shows_neither_claims_nor_the_name_of_the_token(
        self, make: Callable[..., Face], fake: FakeIssuer
    ) -> None:
        """Laws 1.2, 2.5: error reporters write out the repr of what a frame holds."""
        gate, token = make(), fake.token("u1", email="ann@home.test")
        claims = user(gate, token)._claims
        memory = gate.gate._context.trust.memory
        assert memory is not None
        shown = repr((claims, memory, [*memory._index.values()]))

        assert "principal=User(id='u1'" in shown
        assert "ann@home.test" not in shown
        assert repr(ag.Secret(token).digest()) not in shown

    def test_a_token_too_long_is_not_even_hashed(
        self, make: Callable[..., Face], fake: FakeIssuer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Law 2.4: the limit comes first, where no header limits what is handed in."""
        gate, token = make(credential_limit=1024), fake.token("u1", padding="x" * 1024)
        monkeypatch.setattr(ag.Secret, "digest", None)
        monkeypatch.setattr(trust, "sha256", None)

        with pytest.raises(ag.InvalidToken) as caught:
            gate.verify_token(token)
        assert "token_malformed" == caught.value.code

    @pytest.mark.parametrize("junk", ["x" * 4097, f"{'x' * 100}.{'x' * 4000}.xxxx"])
    def test_long_junk_is_not_hashed(
        self, make: Callable[..., Face], monkeypatch: pytest.MonkeyPatch, junk: str
    ) -> None:
        """Law 2.4: what begins no token costs a glance, not a digest, and is refused as by a gate without memory."""
        gates = make(), make(verified_tokens=0)
        monkeypatch.setattr(ag.Secret, "digest", None)
        monkeypatch.setattr(trust, "sha256", None)

        first, second = (refusal(gate, junk) for gate in gates)
        assert "token_malformed" == first.code
        assert (first.code, first.reason) == (second.code, second.reason)

    def test_a_long_token_is_remembered(
        self, make: Callable[..., Face], fake: FakeIssuer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Law 7.1: as any other is."""
        gate, token = make(), fake.token("u1", padding="x" * 8192)
        assert user(gate, token)
        monkeypatch.setattr(Key, "verifies", None)

        assert user(gate, token)


class TestJudgedAtEveryHit:
    """Law 7.1: each is refused exactly as a gate refuses that remembers nothing."""

    @pytest.fixture(name="pair")
    def _pair(self, make: Callable[..., Face]) -> Callable[..., tuple[Face, Face]]:
        return lambda **options: (make(**options), make(**options, verified_tokens=0))

    def test_expiry(
        self, pair: Callable[..., tuple[Face, Face]], fake: FakeIssuer, clock: ManualClock
    ) -> None:
        """Expired is said at the very second, with the leeway, and taken back when the clock is."""
        gates, token = pair(issuer={"leeway": 10}), fake.token("u1", expires_in=20)
        for seconds, expected in ((0, None), (29.5, None), (0.5, "token_expired")):
            clock.advance(seconds)
            assert [expected] * 2 == [code(gate, token) for gate in gates]
        assert 1 == len({refusal(gate, token).reason for gate in gates})

        clock.jump_wall(-1)

        assert [None, None] == [code(gate, token) for gate in gates]

    def test_a_token_without_any_other_date(self, make: Callable[..., Face], fake: FakeIssuer) -> None:
        """Law 3.7: ``exp`` alone is required where nothing is judged by age."""
        gate, token = make(), fake.token("u1", iat=ABSENT)

        assert user(gate, token) is user(gate, token)

    @pytest.mark.parametrize("claim", ["nbf", "iat", "auth_time"])
    def test_not_yet(
        self, pair: Callable[..., tuple[Face, Face]], fake: FakeIssuer, clock: ManualClock, claim: str
    ) -> None:
        """A clock that was set back makes a remembered token one of the future."""
        now = int(clock.now().wall)
        claims: dict[str, Any] = {"iat": now - 600, claim: now}
        gates, token = pair(issuer={"leeway": 10}), fake.token("u1", **claims)
        assert [None, None] == [code(gate, token) for gate in gates]

        clock.jump_wall(-10)
        assert [None, None] == [code(gate, token) for gate in gates]
        clock.jump_wall(-0.5)
        assert ["token_claim"] * 2 == [code(gate, token) for gate in gates]
        assert 1 == len({refusal(gate, token).reason for gate in gates})

    def test_revocation(self, make: Callable[..., Face], fake: FakeIssuer, colour: str) -> None:
        """Law 5.1: the source is asked at each hit, and an outage of it is one (Law 5.3)."""
        source = store(colour)
        gate, token = make(revocation=source), fake.token("u1")
        assert [None, None] == [code(gate, token), code(gate, token)]
        assert 2 == source.asked

        source.answer = True
        assert "token_revoked" == code(gate, token)
        source.answer = ag.RevocationUnavailable("down")
        assert "revocation_unavailable" == code(gate, token)
        source.answer = False
        assert code(gate, token) is None

    def test_revocation_in_memory(self, make: Callable[..., Face], fake: FakeIssuer) -> None:
        """Law 5.1: a revocation is in force at the next request, and the remembered token names what it hits."""
        gate, token = make(revocation=ag.MemoryRevocation()), fake.token("u1", sid="s1")
        assert code(gate, token) is None

        gate.revoke("revoke_session", "s1")

        assert "token_revoked" == code(gate, token)

    def test_the_tenant(self, make: Callable[..., Face], fake: FakeIssuer, clock: ManualClock) -> None:
        """Law 4.13: a tenant no longer allowed is refused when the predicate is asked again, in the same minute."""
        served = {"north"}
        options = {"tenant": "org", "tenants": lambda tenant: tenant in served}
        gate = make(issuer=options)
        assert code(gate, fake.token("u1", org="north")) is None
        clock.advance(30)
        token = fake.token("u2", org="north")
        assert code(gate, token) is None
        served.clear()

        clock.advance(29)
        assert code(gate, token) is None
        clock.advance(1)
        assert "token_claim" == code(gate, token)

    def test_a_predicate_that_cannot_answer(
        self, make: Callable[..., Face], fake: FakeIssuer, clock: ManualClock
    ) -> None:
        """Law 1.5: an outage of the tenant's predicate is one at a hit too, and names the issuer."""
        answers: list[bool | Exception] = [True, ag.AuthUnavailable("the list is not loaded")]

        def serves(_tenant: str) -> bool:
            answer = answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer

        gate = make(issuer={"tenant": "org", "tenants": serves})
        assert code(gate, fake.token("u1", org="north")) is None
        clock.advance(30)
        token = fake.token("u2", org="north")
        assert code(gate, token) is None

        clock.advance(30)
        refused = refusal(gate, token)

        assert (503, "id") == (refused.status, refused.issuer)

    def test_the_policy(self, make: Callable[..., Face], fake: FakeIssuer) -> None:
        """Law 7.3: a decision is never remembered."""
        gate, token, answers = make(), fake.token("u1"), [True, False, True]
        policy = ag.is_user & ag.check("now", lambda _admission, _request: answers.pop(0))

        assert [None, "forbidden", None] == [code(gate, token, policy) for _ in range(3)]


class TestDiesWithItsKeys:
    def test_a_forgotten_key(self, make: Callable[..., Face], fake: FakeIssuer) -> None:
        """Law 4.7: at once."""
        gate, token = make(), fake.token("u1")
        assert code(gate, token) is None

        gate.gate.keys.forget("id", fake.kid)

        assert "token_key_unknown" == code(gate, token)

    def test_a_forgotten_neighbour(
        self, make: Callable[..., Face], fake: FakeIssuer, verified: Count
    ) -> None:
        """Law 7.1: a set that lost another key is another set, so what it says of the token is asked anew, once."""
        stranger, _ = fake.kid, fake.rotate()
        gate, token = make(), fake.token("u1")
        assert [None, None] == [code(gate, token), code(gate, token)]

        gate.gate.keys.forget("id", stranger)

        assert [None, None] == [code(gate, token), code(gate, token)]
        assert 2 == verified.checked

    def test_a_key_that_is_gone(
        self, make: Callable[..., Face], served: FakeIssuer, clock: ManualClock
    ) -> None:
        """Law 4.7: at the refresh that does not bring it, within the minute."""
        gate, token = make(**fetching(served)), served.token("u1")
        assert code(gate, token) is None

        served.rotate(keep_old=False)
        clock.advance(11)
        assert code(gate, served.token("u2")) is None

        assert "token_key_unknown" == code(gate, token)

    def test_another_key_of_the_same_name(
        self, make: Callable[..., Face], served: FakeIssuer, clock: ManualClock
    ) -> None:
        """Law 4.7: a set that is due is asked, and what it brings has not verified the token."""
        gate = make(**fetching(served))
        clock.advance(890)
        token = served.token("u1")
        assert code(gate, token) is None
        other = FakeIssuer(algorithm="EdDSA")
        assert served.kid == other.kid
        served.answer(json.dumps(other.jwks()).encode(), paths=[JWKS_PATH])

        clock.advance(59)
        gate.gate._refresher.rings[RingName("id")].state = replace(
            gate.gate._refresher.rings[RingName("id")].state, soft_ttl=10.0
        )

        assert "token_signature" == code(gate, token)

    def test_a_key_that_is_forgotten_while_it_verifies(
        self, make: Callable[..., Face], fake: FakeIssuer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Law 7.1: what a set proved is not remembered with the set that followed it."""
        gate, check = make(), Key.verifies

        def forgetting(key: Key, alg: str, signing_input: bytes, signature: bytes) -> bool:
            gate.gate.keys.forget("id", fake.kid)
            return check(key, alg, signing_input, signature)

        monkeypatch.setattr(Key, "verifies", forgetting)

        assert code(gate, fake.token("u1")) is None
        assert 0 == len(gate.gate._context.trust.memory or ())

    @pytest.mark.parametrize("remembered", [0, 10])
    def test_a_kid_that_is_forgotten_while_a_nameless_key_verifies(
        self, make: Callable[..., Face], fake: FakeIssuer, monkeypatch: pytest.MonkeyPatch, remembered: int
    ) -> None:
        """Law 4.7: the key stays, for it answers to every kid; the kid is not believed again, by whatever memory."""
        pem = fake._keys[fake.kid].public_pem()
        issuer = ag.Issuer.static(
            pem, issuer=fake.url, audience=fake.audience, name="id", algorithms=["EdDSA"]
        )
        gate, token, check = (
            make(issuers=[issuer], verified_tokens=remembered),
            fake.token("u1"),
            Key.verifies,
        )

        def forgetting(key: Key, alg: str, signing_input: bytes, signature: bytes) -> bool:
            gate.gate.keys.forget("id", fake.kid)
            return check(key, alg, signing_input, signature)

        monkeypatch.setattr(Key, "verifies", forgetting)
        assert code(gate, token) is None

        assert ["token_key_unknown"] * 2 == [code(gate, token), code(gate, fake.token("u2"))]

    def test_a_new_set(
        self, make: Callable[..., Face], served: FakeIssuer, clock: ManualClock, verified: Count
    ) -> None:
        """Law 7.1: another generation of the key set verifies anew, though it holds the same key."""
        gate, token = make(**fetching(served)), served.token("u1")
        assert code(gate, token) is None
        gate.warm_up(5.0)
        clock.advance(10)
        served.rotate()
        assert code(gate, served.token("u2")) is None
        before = verified.checked

        assert code(gate, token) is None

        assert before + 1 == verified.checked

    def test_the_hard_end(self, make: Callable[..., Face], served: FakeIssuer, clock: ManualClock) -> None:
        """Law 4.4: past it there are no keys, whatever they verified a moment ago."""
        gate = make(**fetching(served), max_stale=100.0)
        assert code(gate, served.token("u1")) is None
        served.stop()
        clock.advance(99)
        token = served.token("u2")
        assert [None, None] == [code(gate, token), code(gate, token)]

        clock.advance(2)

        assert "keys_unavailable" == code(gate, token)

    def test_a_set_that_is_due(
        self, make: Callable[..., Face], served: FakeIssuer, clock: ManualClock, verified: Count
    ) -> None:
        """Law 4.3: a hit has a stale set refreshed as any request does, and goes on through an outage (Law 4.4)."""
        gate = make(**fetching(served))
        assert code(gate, served.token("u1")) is None
        served.stop()
        clock.advance(400)
        token = served.token("u2")
        assert code(gate, token) is None
        wait_for_failure(gate)
        before = verified.checked

        clock.advance(30)
        assert code(gate, token) is None
        assert before == verified.checked
        wait_for_failure(gate)

        served.start()
        served.rotate(keep_old=False)
        clock.advance(29)
        gate.warm_up(5.0)
        assert "token_key_unknown" == code(gate, token)


class TestWhatIsNotRemembered:
    @pytest.mark.parametrize(
        ("options", "expected"),
        [
            ({}, 1),
            ({"validators": [lambda _claims: None]}, 3),
            ({"validators": [lambda _claims: None], "pure": True}, 1),
            ({"service_when": {"gty": "client"}}, 1),
            ({"service_when": lambda claims: False}, 3),
            ({"service_when": lambda claims: False, "pure": True}, 1),
        ],
    )
    def test_functions_that_may_change_their_mind(
        self,
        make: Callable[..., Face],
        fake: FakeIssuer,
        verified: Count,
        options: dict[str, Any],
        expected: int,
    ) -> None:
        """Law 7.1: what a function of the application's says is asked for each request, unless it is declared pure."""
        gate, token = make(issuer=options), fake.token("u1")

        for _ in range(3):
            user(gate, token)

        assert expected == verified.checked

    @pytest.mark.parametrize("remembered", [0, 10])
    def test_a_rule_for_services_is_a_copy(
        self, make: Callable[..., Face], fake: FakeIssuer, remembered: int
    ) -> None:
        """Law 7.1: what the application changes of it later means nothing, to what is remembered and to what is not."""
        names = ["batch"]
        rule = {"client_id": names}
        gate = make(issuer={"service_when": rule}, verified_tokens=remembered)
        token, other = fake.token("u1", client_id="web"), fake.token("u2", client_id="web")
        assert code(gate, token) is None

        names.append("web")
        assert [None, None] == [code(gate, token), code(gate, other)]

        rule["sub"] = ["nobody"]
        assert "u3" == gate.verify_token(fake.token("u3", client_id="batch")).service.id

    def test_a_validator_is_asked_each_time(self, make: Callable[..., Face], fake: FakeIssuer) -> None:
        """Law 3.10: so it can refuse a token that it let pass a moment ago."""
        blocked: set[str] = set()

        def not_blocked(claims: Mapping[str, Any]) -> None:
            if claims["sub"] in blocked:
                raise ValueError(TAKEN_OUT)

        gate, token = make(issuer={"validators": [not_blocked]}), fake.token("u1")
        assert code(gate, token) is None
        blocked.add("u1")

        assert "token_claim" == code(gate, token)

    @pytest.mark.parametrize("pure", [False, True])
    def test_a_claims_object(self, make: Callable[..., Face], fake: FakeIssuer, pure: bool) -> None:
        """Law 7.2: it can be changed by whoever gets it, so each request has its own."""

        @dataclass
        class Claims:
            sub: str
            notes: list[str]

        gate, token = make(issuer={"claims": Claims, "pure": pure}), fake.token("u1", notes=["a"])
        user(gate, token).model(Claims).notes.append("spoilt")

        assert ["a"] == user(gate, token).model(Claims).notes

    def test_a_refusal(self, make: Callable[..., Face], fake: FakeIssuer, verified: Count) -> None:
        """Law 7.3: a bad token is verified as often as it comes."""
        gate, token = make(), fake.token("u1", aud="another-api")

        assert ["token_claim"] * 2 == [code(gate, token) for _ in range(2)]
        assert 2 == verified.checked

    def test_an_outage(self, make: Callable[..., Face], served: FakeIssuer, clock: ManualClock) -> None:
        """Law 7.3: a token that could not be verified is verified once the keys are there."""
        gate, token = make(**fetching(served), key_wait=5.0), served.token("u1")
        served.stop()
        assert "keys_unavailable" == code(gate, token)
        served.start()
        clock.advance(5)

        assert code(gate, token) is None


class TestNothingToSpoil:
    """Law 7.2: what a hit gives is the same to everybody, whatever the last one tried."""

    def test_a_user(self, make: Callable[..., Face], fake: FakeIssuer) -> None:
        """Neither attributes nor claims, nor what is shown of them."""
        gate, token = make(), fake.token("u1", roles=["clerk"], org={"ids": [1]}, act={"sub": "a"})
        first = user(gate, token)
        for name in ("id", "roles", "scopes", "_claims", "_view", "_granted_roles"):
            with pytest.raises(AttributeError):
                setattr(first, name, ("admin",))
        with pytest.raises(TypeError):
            first.claims["roles"] = ["admin"]  # type: ignore[index]  # the attempt
        with pytest.raises(TypeError):
            first.claims["org"]["ids"][0] = 2
        first.to_dict()["roles"].append("admin")

        second = user(gate, token)

        assert first is second
        assert (("clerk",), ("clerk",), (1,), ["clerk"]) == (
            second.roles,
            second.claims["roles"],
            second.claims["org"]["ids"],
            second.to_dict()["roles"],
        )
        assert "forbidden" == code(gate, token, ag.any_role("admin"))


class TestProcessesAndThreads:
    def test_many_threads(self, make: Callable[..., Face], fake: FakeIssuer, colour: str) -> None:
        """Law 7.1: hits, evictions and insertions at once, each in a loop of its own, and everybody is who they are."""
        gate = make(verified_tokens=4)
        tokens = {f"u{number}": fake.token(f"u{number}") for number in range(8)}

        def play(turn: int) -> bool:
            name = f"u{turn % 8}"
            return name == user(gate, tokens[name]).id

        with ThreadPoolExecutor(4) as pool:
            assert all(pool.map(play, range(400 if colour == "sync" else 80)))

    def test_a_fork(self, make: Callable[..., Face], fake: FakeIssuer, verified: Count) -> None:
        """Law 9.5: what the parent verified is as true in the child, which needs no lock of it."""
        gate, token = make(), fake.token("u1")
        assert user(gate, token)

        child = os.fork()
        if child == 0:
            good = user(gate, token).id == "u1" and verified.checked == 1
            os._exit(0 if good else 1)

        assert 0 == os.waitpid(child, 0)[1]


class TestNotInRedis:
    def test_nothing_of_a_token_goes_there(
        self, make: Callable[..., Face], fake: FakeIssuer, valkey_url: str, prefix: str
    ) -> None:
        """Law 7.5: what is verified, once and again, leaves no key there but the store's own mark."""
        # A busy machine may keep an answer waiting; this is not about outages.
        gate = make(revocation=ag.RedisRevocation(valkey_url, prefix=prefix, on_error="allow"))
        gate.warm_up(5.0)
        with redis.Redis.from_url(valkey_url) as client:
            before = set(client.scan_iter(f"{prefix}*"))
            for _ in range(3):
                user(gate, fake.token("u1"))

            assert before == set(client.scan_iter(f"{prefix}*"))


def gate_is_sync(gate: Face) -> bool:
    """Whether the gate is of the sync colour."""
    return isinstance(gate.gate, ag.Gate)


def code(gate: Face, token: str, policy: ag.Policy = ag.is_user) -> str | None:
    """The code with which a token is refused; None where it is admitted."""
    try:
        user(gate, token, policy)
    except ag.AuthgateError as error:
        return error.code
    return None


def wait_for_failure(gate: Face) -> None:
    """Until the refresh that runs in the background has failed."""
    gate.warm_up(5.0)
    assert [True] == [keys.last_error is not None for keys in gate.gate.health().keys]


def texts_in(root: object) -> Iterator[str]:
    """Every text that can be reached from here without going through code."""
    seen: set[int] = set()
    waiting = [root]
    while waiting:
        one = waiting.pop()
        if id(one) in seen or isinstance(one, (type, FunctionType, ModuleType)):
            continue
        seen.add(id(one))
        if isinstance(one, (str, bytes)):
            yield one if isinstance(one, str) else one.decode("latin-1")
        waiting.extend(gc.get_referents(one))
