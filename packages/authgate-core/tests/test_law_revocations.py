"""Revoking through the gate, in both colours: what, how far, and what is never pretended (Laws 5.1 to 5.7)."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import authgate_core as ag
from authgate_core.events import Decided, Notice
from authgate_core.principal import ProjectRef, Revocation, TokenRef
from authgate_core.testing import ABSENT, FakeIssuer, ManualClock
from tests.support.gates import Face, face


@pytest.fixture(name="clock", scope="module")
def _clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(name="fake", scope="module")
def _fake(clock: ManualClock) -> FakeIssuer:
    return FakeIssuer(url="https://id.test", clock=clock)


@pytest.fixture(name="colour", params=["sync", "async"])
def _colour(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def trusted(fake: FakeIssuer, name: str = "id", **options: Any) -> ag.Issuer:
    """The issuer, with tenants where its tokens have one."""
    plain = {"issuer": fake.url, "audience": fake.audience, "name": name, "tenant": "org"}
    settings: dict[str, Any] = {**plain, **options}
    return ag.Issuer.static(
        fake.jwks(), **{key: value for key, value in settings.items() if value is not None}
    )


@pytest.fixture(name="make")
def _make(colour: str, fake: FakeIssuer, clock: ManualClock) -> Iterator[Callable[..., Face]]:
    made: list[Face] = []

    def make(**options: Any) -> Face:
        plain = {"issuers": [trusted(fake)], "revocation": ag.MemoryRevocation()}
        made.append(face(colour, ag.GateConfig(**{**plain, **options}), clock))
        return made[-1]

    yield make
    for gate in made:
        gate.close()


def is_good(gate: Face, token: str) -> bool:
    """Whether a token is admitted; False where it is revoked, and nothing else may be wrong with it."""
    try:
        gate.verify_token(token)
    except ag.TokenRevoked:
        return False
    return True


class TestWhatCanBeRevoked:
    """Law 5.2: a token, a session, what a subject, client or tenant has, and what a key signed."""

    @pytest.mark.parametrize(
        ("how", "args", "options", "spared"),
        [
            ("revoke_token", ("j-1",), {"tenant": "t1"}, {"jti": "j-2"}),
            ("revoke_session", ("s-1",), {"tenant": "t1"}, {"sid": "s-2"}),
            ("revoke_before", (), {"subject": "u1", "tenant": "t1"}, {"sub": "u2"}),
            ("revoke_before", (), {"client_id": "c1", "tenant": "t1"}, {"azp": "c2"}),
            ("revoke_before", (), {"tenant": "t1"}, {"org": "t2"}),
            ("revoke_key", ("key-1",), {"tenant": "t1"}, {"org": "t2"}),
        ],
        ids=["token", "session", "subject", "client", "tenant", "key"],
    )
    def test_it_and_nothing_else(
        self,
        make: Callable[..., Face],
        fake: FakeIssuer,
        how: str,
        args: tuple[str, ...],
        options: dict[str, str],
        spared: dict[str, Any],
    ) -> None:
        """From the next request on; of another tenant the same names are other things (Law 5.9)."""
        gate = make()
        claims: dict[str, Any] = {"sub": "u1", "jti": "j-1", "sid": "s-1", "azp": "c1", "org": "t1"}
        mine, other, abroad = (fake.token(**{**claims, **more}) for more in ({}, spared, {"org": "t9"}))
        assert [True, True, True] == [is_good(gate, token) for token in (mine, other, abroad)]

        gate.revoke(how, *args, **options)

        assert [False, True, True] == [is_good(gate, token) for token in (mine, other, abroad)]

    @pytest.mark.parametrize(
        ("how", "args", "options"),
        [
            ("revoke_token", ("j-1",), {}),
            ("revoke_session", ("s-1",), {}),
            ("revoke_before", (), {"subject": "u1"}),
            ("revoke_before", (), {}),
            ("revoke_key", ("key-1",), {}),
        ],
        ids=["token", "session", "subject", "everything", "key"],
    )
    def test_what_no_token_could_match(
        self, make: Callable[..., Face], how: str, args: tuple[str, ...], options: dict[str, str]
    ) -> None:
        """Law 5.6: where tokens have tenants it is named, and where they have none it is not."""
        with pytest.raises(ValueError, match="tenant"):
            make().revoke(how, *args, **options)
        with pytest.raises(ValueError, match="tenant"):
            make(issuers=[trusted(FakeIssuer(), tenant=None)]).revoke(how, *args, **options, tenant="t1")

    def test_a_token_by_showing_it(self, make: Callable[..., Face], fake: FakeIssuer) -> None:
        """Law 5.9: whole, its name is known, with a jti or without, and its tenant as well."""
        gate = make()
        for jti in ("j-7", ABSENT):
            token = fake.token("u1", org="t1", jti=jti)
            gate.revoke("revoke_token", token)
            assert not is_good(gate, token)


class TestEveryRequest:
    """Law 5.1: revocation is checked at every request."""

    def test_nothing_of_the_last_answer_is_kept(
        self, make: Callable[..., Face], fake: FakeIssuer, colour: str
    ) -> None:
        """The same token, asked about as often as it comes."""
        store = Asked() if colour == "sync" else AsyncAsked()
        gate, token = make(revocation=store), fake.token("u1", org="t1", jti="j-1")

        assert [True] * 3 == [is_good(gate, token) for _ in range(3)]
        store.answer = True
        assert [False] * 2 == [is_good(gate, token) for _ in range(2)]

        assert ["j-1"] * 5 == [ref.name for ref in store.refs if isinstance(ref, TokenRef)]


class Asked:
    """A store that can be asked, and cannot be written to."""

    def __init__(self) -> None:
        self.refs: list[TokenRef | ProjectRef] = []
        self.answer = False

    def is_revoked(self, ref: TokenRef | ProjectRef) -> bool:
        self.refs.append(ref)
        return self.answer


class AsyncAsked(Asked):
    """``Asked`` for AsyncGate."""

    async def is_revoked(self, ref: TokenRef | ProjectRef) -> bool:  # type: ignore[override]  # the other colour
        return super().is_revoked(ref)


class Refusing(Asked):
    """A store whose writes fail."""

    def revoke(self, entry: Revocation) -> None:
        raise ag.RevocationUnavailable("nobody confirmed it")


class AsyncRefusing(AsyncAsked):
    """``Refusing`` for AsyncGate."""

    async def revoke(self, entry: Revocation) -> None:
        raise ag.RevocationUnavailable("nobody confirmed it")


IN_T1 = {"tenant": "t1"}


class TestWriting:
    """Law 5.6: each method returns once it is written, and raises otherwise."""

    @pytest.mark.parametrize(
        ("how", "args"),
        [
            ("revoke_token", ("j-1",)),
            ("revoke_session", ("s-1",)),
            ("revoke_before", ()),
            ("revoke_key", ("key-1",)),
            ("require_secret_version", ("shop", 2)),
        ],
    )
    def test_what_was_not_confirmed_raises(
        self, make: Callable[..., Face], colour: str, how: str, args: tuple[Any, ...]
    ) -> None:
        """Also where another source of several took it."""
        refusing = Refusing() if colour == "sync" else AsyncRefusing()
        gate = make(revocation=[ag.MemoryRevocation(), refusing])
        with pytest.raises(ag.RevocationUnavailable):
            gate.revoke(how, *args, **(IN_T1 if how != "require_secret_version" else {}))

    @pytest.mark.parametrize(
        ("how", "args"),
        [
            ("revoke_token", ("j-1",)),
            ("revoke_session", ("s-1",)),
            ("revoke_before", ()),
            ("revoke_key", ("key-1",)),
            ("require_secret_version", ("shop", 2)),
        ],
    )
    def test_a_store_that_only_answers_is_no_store_to_write_to(
        self, make: Callable[..., Face], colour: str, how: str, args: tuple[Any, ...]
    ) -> None:
        """Nothing is pretended."""
        gate = make(revocation=Asked() if colour == "sync" else AsyncAsked())
        with pytest.raises(ag.ConfigurationError, match="no source that can be written to"):
            gate.revoke(how, *args, **(IN_T1 if how != "require_secret_version" else {}))

    def test_the_issuer_may_be_left_out_where_there_is_one(
        self, make: Callable[..., Face], fake: FakeIssuer
    ) -> None:
        """With two it is named, by its configured name; a whole token names it itself."""
        second = FakeIssuer(url="https://second.test")
        two = make(issuers=[trusted(fake), trusted(second, "second", tenant="org")], shared_subjects=True)
        with pytest.raises(ValueError, match="name one of 'id', 'second'"):
            two.revoke("revoke_session", "s-1")
        with pytest.raises(ValueError, match="name one of 'id', 'second'"):
            two.revoke("revoke_session", "s-1", issuer="https://second.test")

        two.revoke("revoke_session", "s-1", issuer="id", tenant="t1")
        token = fake.token("u1", org="t1")
        two.revoke("revoke_token", token)

        assert not is_good(two, fake.token("u1", org="t1", sid="s-1"))
        assert not is_good(two, token)

    def test_memory_warns_at_each_start(
        self, make: Callable[..., Face], caplog: pytest.LogCaptureFixture
    ) -> None:
        """That it covers one process, which is not what most services are."""
        events: list[Decided | Notice] = []
        for _ in range(2):
            make(on_event=events.append)

        assert ["revocation_in_memory"] * 2 == [event.code for event in events if isinstance(event, Notice)]
        assert 2 == caplog.text.count("another worker does not see them")


class TestMercury:
    """A layout of others is only read, and names tokens by a plain ``jti`` (Laws 5.6, 5.9)."""

    EVERY_METHOD = pytest.mark.parametrize(
        ("how", "args"),
        [
            ("revoke_token", ("j-1",)),
            ("revoke_session", ("s-1",)),
            ("revoke_before", ()),
            ("revoke_key", ("key-1",)),
            ("require_secret_version", ("shop", 2)),
        ],
    )

    def test_what_is_listed_there(self, make: Callable[..., Face], fake: FakeIssuer, own_valkey: Any) -> None:
        """Law 5.1: refused from the next request on, whatever issuer and tenant it is of."""
        gate = make(revocation=ag.RedisRevocation(own_valkey.url, layout="mercury"))
        tokens = [fake.token("u1", org=org, jti="j-1") for org in ("t1", "t2")]
        assert [True, True] == [is_good(gate, token) for token in tokens]
        own_valkey.client().set("revoked_token:j-1", "1")
        assert [False, False] == [is_good(gate, token) for token in tokens]
        assert is_good(gate, fake.token("u1", org="t1", jti="j-2"))

    @pytest.mark.parametrize("jti", [ABSENT, "a b", "j-1\n", "{j}", "j" * 256])
    def test_a_jti_that_could_not_be_listed(
        self, make: Callable[..., Face], fake: FakeIssuer, own_valkey: Any, jti: Any
    ) -> None:
        """Law 5.9: refused as a bad token where any source is of that kind, and nowhere else."""
        mercury = ag.RedisRevocation(own_valkey.url, layout="mercury")
        token = fake.token("u1", org="t1", jti=jti)
        for gate in (make(revocation=mercury), make(revocation=[ag.MemoryRevocation(), mercury])):
            with pytest.raises(ag.InvalidClaim, match=r"^jti"):
                gate.verify_token(token)
        assert is_good(make(revocation=ag.RedisRevocation(own_valkey.url)), token)

    @EVERY_METHOD
    def test_alone_it_takes_nothing(
        self, make: Callable[..., Face], own_valkey: Any, colour: str, how: str, args: tuple[Any, ...]
    ) -> None:
        """Law 5.6: nothing is pretended, also beside a source that only answers."""
        mercury = ag.RedisRevocation(own_valkey.url, layout="mercury")
        for sources in (mercury, [mercury, Asked() if colour == "sync" else AsyncAsked()]):
            with pytest.raises(ag.ConfigurationError, match="Mercury's layout is read-only"):
                make(revocation=sources).revoke(
                    how, *args, **(IN_T1 if how != "require_secret_version" else {})
                )
        assert 0 == own_valkey.client().dbsize()

    @EVERY_METHOD
    def test_beside_another_that_one_takes_it(
        self, make: Callable[..., Face], own_valkey: Any, how: str, args: tuple[Any, ...]
    ) -> None:
        """Law 5.6: what can be written to is written to, and no key of Mercury's is made."""
        mercury = ag.RedisRevocation(own_valkey.url, layout="mercury")
        gate = make(revocation=[mercury, ag.RedisRevocation(own_valkey.url, prefix="mine")])
        gate.revoke(how, *args, **(IN_T1 if how != "require_secret_version" else {}))
        keys = own_valkey.client().keys("*")
        assert keys
        assert all(key.startswith(b"mine:") for key in keys)

    def test_each_of_several_refuses(
        self, make: Callable[..., Face], fake: FakeIssuer, own_valkey: Any
    ) -> None:
        """Law 5.1: both are asked at every request, and health tells them apart."""
        mercury = ag.RedisRevocation(own_valkey.url, layout="mercury")
        gate = make(revocation=[mercury, ag.RedisRevocation(own_valkey.url)])
        here, there, good = (fake.token("u1", org="t1", jti=jti) for jti in ("j-1", "j-2", "j-3"))
        gate.revoke("revoke_token", here)
        own_valkey.client().set("revoked_token:j-2", "1")
        gate.revoke("reload")
        assert [False, False, True] == [is_good(gate, token) for token in (here, there, good)]
        assert [("redis:mercury", "ok"), ("redis", "ok")] == [
            (store.source, store.status) for store in gate.gate.health().revocation
        ]

    def test_an_outage_of_either(self, make: Callable[..., Face], fake: FakeIssuer, own_valkey: Any) -> None:
        """Law 5.3: what one cannot answer, the other does not answer for it."""
        nobody = "redis://127.0.0.1:1/0"
        token = fake.token("u1", org="t1", jti="j-1")
        for sources in (
            [ag.RedisRevocation(nobody, layout="mercury"), ag.RedisRevocation(own_valkey.url)],
            [ag.RedisRevocation(own_valkey.url, layout="mercury"), ag.RedisRevocation(nobody)],
        ):
            with pytest.raises(ag.RevocationUnavailable):
                make(revocation=sources).verify_token(token)


class TestCutOffs:
    """Law 5.7: a cut-off refuses what was issued before it, and what was refreshed from that."""

    def test_by_the_second(self, make: Callable[..., Face], fake: FakeIssuer, clock: ManualClock) -> None:
        """What was issued in its second is refused with it; so is a login before it, however new the token."""
        gate, now = make(), int(clock.now().wall)
        gate.revoke("revoke_before", now - 100 + 0.4, subject="u1", tenant="t1")

        def issued(iat: int, **claims: Any) -> bool:
            return is_good(gate, fake.token("u1", org="t1", iat=now + iat, **claims))

        assert [False, False, True] == [issued(-101), issued(-100), issued(-99)]
        assert [False, True] == [issued(0, auth_time=now - 100), issued(0, auth_time=now - 99)]

    def test_one_session_goes_on(self, make: Callable[..., Face], fake: FakeIssuer) -> None:
        """Law 5.6: ``except_session``, for logging out everywhere else."""
        gate = make()
        gate.revoke("revoke_before", subject="u1", tenant="t1", except_session="here")

        assert [True, False] == [
            is_good(gate, fake.token("u1", org="t1", sid=sid)) for sid in ("here", "there")
        ]

    def test_a_moment_may_be_a_datetime(
        self, make: Callable[..., Face], fake: FakeIssuer, clock: ManualClock
    ) -> None:
        """An aware one."""
        moment = dt.datetime.fromtimestamp(clock.now().wall - 10, dt.UTC)
        gate = make()
        gate.revoke("revoke_before", moment, subject="u1", tenant="t1")

        now = int(clock.now().wall)
        assert [False, True] == [is_good(gate, fake.token("u1", org="t1", iat=now - ago)) for ago in (10, 9)]

    def test_the_future_is_refused(
        self, make: Callable[..., Face], fake: FakeIssuer, clock: ManualClock
    ) -> None:
        """When it is written, and nothing is written then."""
        gate = make()
        with pytest.raises(ValueError, match="in the future"):
            gate.revoke("revoke_before", clock.now().wall + 60, subject="u1", tenant="t1")

        assert is_good(gate, fake.token("u1", org="t1"))

    def test_a_token_without_iat(self, make: Callable[..., Face], fake: FakeIssuer) -> None:
        """Law 3.7: where a store judges by age, no token is without one."""
        with pytest.raises(ag.InvalidClaim, match=r"^iat"):
            make().verify_token(fake.token("u1", org="t1", iat=ABSENT))


class TestSilence:
    """Law 5.3: a store that cannot answer means 503, never admission."""

    def test_of_redis(self, make: Callable[..., Face], fake: FakeIssuer) -> None:
        """Nobody listens there; and what could not be written is not said to be."""
        gate = make(revocation=ag.RedisRevocation("redis://127.0.0.1:1/0"))
        with pytest.raises(ag.RevocationUnavailable) as caught:
            gate.verify_token(fake.token("u1", org="t1"))
        with pytest.raises(ag.RevocationUnavailable):
            gate.revoke("revoke_session", "s-1", tenant="t1")

        answer = gate.gate.problem(caught.value)
        assert 503 == answer.status
        assert {"Retry-After"} <= {name for name, _ in answer.headers}
        assert ["down"] == [store.status for store in gate.gate.health().revocation]


class TestReloading:
    """Law 5.10: a store that lost its entries is believed again when the operator says so."""

    def test_by_hand(self, make: Callable[..., Face], fake: FakeIssuer, own_valkey: Any) -> None:
        """In this process, once the entries were written anew; until then 503, though the server answers."""
        gate = make(revocation=ag.RedisRevocation(own_valkey.url))
        gone, good = fake.token("u1", org="t1", sid="s-1"), fake.token("u1", org="t1", sid="s-2")
        gate.revoke("revoke_session", "s-1", tenant="t1")
        assert [False, True] == [is_good(gate, token) for token in (gone, good)]

        own_valkey.client().flushall()
        for token in (gone, good):
            with pytest.raises(ag.RevocationUnavailable):
                gate.verify_token(token)
        gate.revoke("revoke_session", "s-1", tenant="t1")
        with pytest.raises(ag.RevocationUnavailable):
            gate.verify_token(good)
        assert ["unloaded"] == [store.status for store in gate.gate.health().revocation]
        gate.revoke("reload")

        assert [False, True] == [is_good(gate, token) for token in (gone, good)]
        assert ["ok"] == [store.status for store in gate.gate.health().revocation]

    def test_memory_and_stores_of_ones_own_have_nothing_to_reload(
        self, make: Callable[..., Face], fake: FakeIssuer, colour: str
    ) -> None:
        """It is no error, and changes nothing."""
        gate = make(revocation=[ag.MemoryRevocation(), Asked() if colour == "sync" else AsyncAsked()])
        gate.revoke("reload")

        assert is_good(gate, fake.token("u1", org="t1"))


def test_both_colours_share_one_entry_format(fake: FakeIssuer, clock: ManualClock) -> None:
    """Law 5.9: what one colour writes the other one reads, under the same name."""
    written: list[Revocation] = []

    class Log(Asked):
        def revoke(self, entry: Revocation) -> None:
            written.append(entry)

    class AsyncLog(AsyncAsked):
        async def revoke(self, entry: Revocation) -> None:
            written.append(entry)

    token = fake.token("u1", org="t1")
    with ag.Gate(ag.GateConfig(issuers=[trusted(fake)], revocation=Log()), clock=clock) as gate:
        gate.revocations.revoke_token(token)
        gate.revocations.revoke_before(subject="u1", tenant="t1")

    async def revoke() -> None:
        config = ag.GateConfig(issuers=[trusted(fake)], revocation=AsyncLog())
        async with ag.AsyncGate(config, clock=clock) as gate:
            await gate.revocations.revoke_token(token)
            await gate.revocations.revoke_before(subject="u1", tenant="t1")

    asyncio.run(revoke())
    assert written[:2] == written[2:]
