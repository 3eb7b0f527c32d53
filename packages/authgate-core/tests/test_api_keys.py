"""API keys: what they look like, how they are configured, and who is admitted by one (Laws 2.5, 6.7 and 8.2)."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import authgate_core as ag
from authgate_core import __main__ as command
from authgate_core.api_keys import MintedKey, key_id, mint_key
from authgate_core.clock import Instant
from authgate_core.config.colours import Colour
from authgate_core.credentials import ApiKeyCredential
from authgate_core.gate.sources import open_async_keys, open_keys
from authgate_core.testing import FakeIssuer, ManualClock
from tests.support.gates import PROJECT, AsyncFace, Face, bearer, face, gates, view

NOW = 1_800_000_000.0
TERMS: tuple[Any, Any] = (ManualClock(), lambda _: None)
SEEDED = random.Random(7)  # so that every process that runs these tests names them alike
KEY, OTHER = (mint_key(choose=SEEDED.choice, random_bytes=SEEDED.randbytes) for _ in range(2))
LIVE = mint_key("sk_live", choose=SEEDED.choice, random_bytes=SEEDED.randbytes)


def presented(minted: MintedKey) -> tuple[str, str]:
    """The header of a key."""
    return ("X-API-Key", minted.key.reveal())


def stored(minted: MintedKey, **more: object) -> dict[str, dict[str, object]]:
    """The table of a key."""
    return {minted.id: {"secret_hash": minted.secret_hash, **more}}


def problems(keys: object, colour: Colour = "sync") -> list[str]:
    """What a gate says of these keys."""
    return list(ag.GateConfig(api_keys=keys).problems(colour))  # type: ignore[arg-type]  # any object, on purpose


@pytest.fixture(scope="module")
def fake() -> Iterator[FakeIssuer]:
    """An issuer whose keys are configured."""
    with FakeIssuer() as issuer:
        yield issuer


@pytest.fixture
def make(colour: str) -> Iterator[Callable[..., Face]]:
    """Makes gates of this colour that know nothing but API keys, at a time that stands still."""
    made: list[Face] = []

    def making(keys: ag.ApiKeys, clock: ManualClock | None = None, **options: Any) -> Face:
        config = ag.GateConfig(api_keys=keys, **options)
        made.append(face(colour, config, clock or ManualClock(Instant(NOW, 0.0))))
        return made[-1]

    yield making
    for gate in made:
        gate.close()


class TestForm:
    def test_a_key_is_prefix_id_secret_and_checksum(self) -> None:
        """The prefix says whose it is, the id names it, and the rest is for the gate."""
        minted = mint_key("shop", choose=lambda letters: letters[0], random_bytes=bytes)
        assert "aaaaaaaaaaaa" == minted.id
        assert f"shop_{'a' * 12}_{'a' * 43}" == minted.key.reveal()[:-8]
        assert "aaaaaaaaaaaa" == key_id(minted.key.reveal(), "shop")

    def test_it_has_256_random_bits(self) -> None:
        """Law 6.1, of keys as of secrets: none can be guessed, so a fast hash is enough."""
        chosen: list[int] = []

        def counted(letters: str) -> str:
            chosen.append(len(letters))
            return letters[0]

        mint_key(choose=counted)
        assert 62 ** len(chosen[12:]) > 2**256
        assert {62} == set(chosen)

    def test_no_two_are_alike(self) -> None:
        """Each is new, and so is its hash."""
        assert 300 == len({text for _ in range(100) for text in _texts(mint_key())})

    @pytest.mark.parametrize("at", range(len(KEY.key.reveal())))
    def test_a_typing_error_is_found(self, at: int) -> None:
        """Law 6.7: one letter that is wrong anywhere is enough."""
        text = KEY.key.reveal()
        wrong = text[:at] + ("x" if text[at] != "x" else "y") + text[at + 1 :]
        assert key_id(wrong, "key") is None

    @pytest.mark.parametrize("at", range(len(KEY.key.reveal()) - 1))
    def test_two_letters_that_changed_places_are_found(self, at: int) -> None:
        """Law 6.7: what people do when they type."""
        text = KEY.key.reveal()
        wrong = text[:at] + text[at + 1] + text[at] + text[at + 2 :]
        assert (wrong == text) == (key_id(wrong, "key") is not None)

    @pytest.mark.parametrize(
        "change",
        [
            lambda text: text[:-1],
            lambda text: text + "0",
            lambda text: text.upper(),
            lambda text: "x" + text,
            lambda text: text.replace("_", "-"),
            lambda text: text + "\n",
            lambda text: text.removeprefix("key_"),
            lambda text: text[:-8],
        ],
        ids=[
            "cut",
            "longer",
            "large letters",
            "behind a letter",
            "dashes",
            "behind a line",
            "no prefix",
            "no checksum",
        ],
    )
    def test_what_is_cut_or_changed_is_found(self, change: Callable[[str], str]) -> None:
        """Law 6.7: a key has one spelling."""
        assert key_id(change(KEY.key.reveal()), "key") is None

    @given(st.text())
    def test_a_random_text_is_no_key(self, text: str) -> None:
        """Law 6.7: whatever arrives."""
        assert key_id(text, "key") is None
        assert key_id(f"key_{text}", "key") is None

    def test_another_prefix_is_another_kind_of_key(self) -> None:
        """A key of the test system is none of the live one."""
        assert LIVE.id == key_id(LIVE.key.reveal(), "sk_live")
        assert key_id(LIVE.key.reveal(), "sk") is None
        assert key_id(LIVE.key.reveal(), "sk_test") is None

    def test_it_is_not_shown(self) -> None:
        """Law 2.5: repr is masked."""
        assert KEY.key.reveal() not in repr(KEY)

    @pytest.mark.parametrize("prefix", ["", "_a", "a_", "1a", "a-b", "a b", "x" * 33, "ä"])
    def test_a_prefix_is_a_word(self, prefix: str) -> None:
        """What begins a key can be read, and selected by a double click."""
        with pytest.raises(ValueError, match="begins no key"):
            mint_key(prefix)
        assert any("prefix" in problem for problem in problems(ag.ApiKeys.static(stored(KEY), prefix=prefix)))

    @pytest.mark.parametrize("prefix", ["a", "sk", "sk_live", "A1", "x" * 32])
    def test_prefixes_that_begin_keys(self, prefix: str) -> None:
        """Letters, digits and underscores."""
        minted = mint_key(prefix)
        assert minted.id == key_id(minted.key.reveal(), prefix)


def _texts(minted: MintedKey) -> tuple[str, str, str]:
    return minted.id, minted.key.reveal(), minted.secret_hash


class Counting:
    """A store of an application's own, which counts how often it is asked."""

    def __init__(self, answer: object = None) -> None:
        self.answer = answer
        self.asked: list[str] = []

    def look_up(self, credential: ApiKeyCredential) -> ag.ApiKey | None:
        """What it was made with."""
        self.asked.append(credential.value.reveal())
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer  # type: ignore[return-value]  # also what is no answer


class AsyncCounting(Counting):
    """``Counting`` for AsyncGate."""

    async def look_up(self, credential: ApiKeyCredential) -> ag.ApiKey | None:  # type: ignore[override]  # as a port
        """What it was made with."""
        return Counting.look_up(self, credential)


def counting(colour: str, answer: object = None) -> Counting:
    """One of the colour."""
    return Counting(answer) if colour == "sync" else AsyncCounting(answer)


class TestAdmission:
    def test_a_key_is_its_principal(self, make: Callable[..., Face]) -> None:
        """Law 8.2: is_api_key asks for a key, and finds what its table says."""
        terms = {"owner_id": "u1", "service": "billing", "tenant": "acme", "scopes": ["orders:read"]}
        gate = make(ag.ApiKeys.static(stored(KEY, roles=["robot"], expires_at=NOW + 60, **terms)))
        key = gate.admit(view(presented(KEY)), ag.is_api_key).api_key
        expected = {
            "id": KEY.id,
            "issuer": "api_keys",
            "roles": ["robot"],
            "expires_at": NOW + 60,
            "prefix": f"key_{KEY.id}",
            **terms,
        }
        assert expected == key.to_dict()
        assert ("api_key", {}) == (key.source, dict(key.claims))

    @pytest.mark.parametrize(
        "header", ["X-API-Key: {}", "authorization: ApiKey {}", "Authorization: apikey {}"]
    )
    def test_either_header_will_do(self, make: Callable[..., Face], header: str) -> None:
        """RFC 9110 section 11.1: a scheme is read without regard to case."""
        name, _, value = header.format(KEY.key.reveal()).partition(": ")
        admission = make(ag.ApiKeys.static(stored(KEY))).admit(view((name, value)), ag.is_api_key)
        assert KEY.id == admission.principal.id

    def test_conditions_are_about_the_key(self, make: Callable[..., Face]) -> None:
        """Law 8.3: beside is_api_key a role or a scope is the key's, also through a hierarchy (Law 8.5)."""
        keys = ag.ApiKeys.static(stored(KEY, roles=["owner"], scopes=["a"], tenant="t1"))
        gate = make(keys, roles=ag.RoleHierarchy({"owner": ["clerk"]}))
        policy = ag.is_api_key & ag.any_role("clerk") & ag.all_scopes("a") & ag.same_tenant(path="t")
        admission = gate.admit(view(presented(KEY), path_params={"t": "t1"}), policy)
        assert ("owner",) == admission.api_key.roles
        with pytest.raises(ag.InsufficientScope) as caught:
            gate.admit(view(presented(KEY)), ag.is_api_key & ag.all_scopes("a", "b"))
        assert ("ApiKey", ("b",)) == (caught.value.scheme, caught.value.missing)

    @pytest.mark.parametrize(
        ("end", "is_good"), [(NOW + 0.5, True), (NOW, False), (NOW - 1, False), (None, True)]
    )
    def test_a_key_ends_when_it_says(
        self, make: Callable[..., Face], end: float | None, *, is_good: bool
    ) -> None:
        """A key has no leeway: its end is read from the same clock."""
        terms = {} if end is None else {"expires_at": end}
        gate = make(ag.ApiKeys.static(stored(KEY, **terms)))
        if is_good:
            assert gate.admit(view(presented(KEY)), ag.is_api_key)
        else:
            with pytest.raises(ag.InvalidApiKey, match="expired"):
                gate.admit(view(presented(KEY)), ag.is_api_key)

    def test_a_key_that_nobody_has(self, make: Callable[..., Face]) -> None:
        """An unknown id and a wrong secret are told alike, and like a typing error."""
        gate = make(ag.ApiKeys.static(stored(KEY)))
        forged = mint_key(choose=_replay(KEY, OTHER))
        assert KEY.id == forged.id
        told = set()
        for wrong in (OTHER.key.reveal(), forged.key.reveal(), KEY.key.reveal()[:-1] + "g", "made-up"):
            with pytest.raises(ag.InvalidApiKey) as caught:
                gate.admit(view(("x-api-key", wrong)), ag.is_api_key)
            told.add(
                (caught.value.detail, caught.value.public_code, caught.value.scheme, caught.value.accepts)
            )
        assert {("The API key is not valid.", "api_key_invalid", "ApiKey", ("ApiKey",))} == told

    def test_a_key_is_no_user(self, make: Callable[..., Face], fake: FakeIssuer, colour: str) -> None:
        """Law 2.3: what a policy does not name is left alone, whatever it is."""
        with gates(fake, colour) as trusting:
            gate = trusting(api_keys=ag.ApiKeys.static(stored(KEY)))
            with pytest.raises(ag.MissingCredentials):
                gate.admit(view(presented(KEY)), ag.is_user)
            with pytest.raises(ag.MissingCredentials):
                gate.admit(view(bearer(fake.token("u1"))), ag.is_api_key)
            assert (
                "u1" == gate.admit(view(bearer(fake.token("u1")), ("x-api-key", "bad")), ag.is_user).user.id
            )
            both = gate.admit(view(bearer(fake.token("u1")), presented(KEY)), ag.is_user & ag.is_api_key)
            assert ("u1", KEY.id) == (both.user.id, both.api_key.id)

    def test_anybody_is_whoever_presents_something(self, fake: FakeIssuer, colour: str) -> None:
        """Everyone who presents what the gate can verify is shown, alone and together."""
        with gates(fake, colour) as trusting:
            gate = trusting(api_keys=ag.ApiKeys.static(stored(KEY)))
            user, key = bearer(fake.token("u1")), presented(KEY)
            for shown, headers in (
                ({ag.User, ag.Project, ag.ApiKey}, (user, key, *PROJECT)),
                ({ag.User, ag.ApiKey}, (user, key)),
                ({ag.Project, ag.ApiKey}, (key, *PROJECT)),
                ({ag.ApiKey}, (key,)),
            ):
                found = gate.admit(view(*headers), gate.gate.anybody()).principals
                assert shown == set(map(type, found))

    def test_responses_vary_by_both_headers(self, make: Callable[..., Face]) -> None:
        """Law 1.7: each header that a key is read from is named once."""
        gate = make(ag.ApiKeys.static(stored(KEY))).gate
        assert ("X-API-Key", "Authorization") == gate.headers_read(ag.is_api_key)

    def test_in_one_request_it_is_looked_up_once(self, make: Callable[..., Face], colour: str) -> None:
        """Law 2.6: however many guards ask."""
        store = counting(colour, ag.ApiKey(id="k1"))
        gate, request = make(ag.ApiKeys(store)), view(presented(KEY), memo=ag_memo())
        for _ in range(3):
            gate.admit(request, ag.is_api_key)
        assert 1 == len(store.asked)


def _replay(first: MintedKey, second: MintedKey) -> Callable[[str], str]:
    """Chooses the id of one key and the secret of another."""
    letters = iter(first.id + second.key.reveal().rpartition("_")[2])
    return lambda _: next(letters)


def ag_memo() -> Any:
    """The memo of a request."""
    from authgate_core.request import Memo

    return Memo()


class TestLaw67:
    """Law 6.7: a typing error or a random string is refused without asking anybody."""

    @pytest.mark.parametrize(
        "wrong",
        [
            KEY.key.reveal()[:-1] + ("0" if KEY.key.reveal()[-1] != "0" else "1"),
            LIVE.key.reveal(),
            "key_abc",
            "eyJhbGciOiJSUzI1NiJ9.e30.c2ln",
            "x" * 5_000,
        ],
    )
    def test_what_is_no_key_is_refused_unasked(
        self, make: Callable[..., Face], colour: str, wrong: str
    ) -> None:
        """The store of an application's own is not called."""
        store = counting(colour, ag.ApiKey(id="k1"))
        gate = make(ag.ApiKeys(store))
        with pytest.raises(ag.InvalidApiKey):
            gate.admit(view(("x-api-key", wrong)), ag.is_api_key)
        assert [] == store.asked

    def test_what_may_be_one_is_asked_about(self, make: Callable[..., Face], colour: str) -> None:
        """A key of the form is the store's to judge, at every request."""
        store = counting(colour, ag.ApiKey(id="k1"))
        gate = make(ag.ApiKeys(store, prefix="sk_live"))
        for _ in range(2):
            assert "k1" == gate.admit(view(presented(LIVE)), ag.is_api_key).api_key.id
        assert [LIVE.key.reveal()] * 2 == store.asked


class TestStoresOfOnesOwn:
    def test_a_no_is_a_no(self, make: Callable[..., Face], colour: str) -> None:
        """None is 401."""
        with pytest.raises(ag.InvalidApiKey, match="does not know"):
            make(ag.ApiKeys(counting(colour))).admit(view(presented(KEY)), ag.is_api_key)

    def test_its_outage_is_an_outage(self, make: Callable[..., Face], colour: str) -> None:
        """Law 1.5: a store that cannot answer is 503, with its own time to wait."""
        store = counting(colour, ag.ApiKeysUnavailable("down", retry_after=7.0))
        with pytest.raises(ag.ApiKeysUnavailable) as caught:
            make(ag.ApiKeys(store)).admit(view(presented(KEY)), ag.is_api_key)
        assert ("ApiKey", 7.0, "unavailable") == (
            caught.value.scheme,
            caught.value.retry_after,
            caught.value.public_code,
        )

    @pytest.mark.parametrize("answer", [True, "k1", ag.Project(id="p1")], ids=repr)
    def test_what_is_no_answer_is_a_bug(self, make: Callable[..., Face], colour: str, answer: object) -> None:
        """Law 1.3: it admits nobody, and leaves as itself."""
        with pytest.raises(TypeError, match="a store of API keys answered"):
            make(ag.ApiKeys(counting(colour, answer))).admit(view(presented(KEY)), ag.is_api_key)

    def test_its_bug_is_a_bug(self, make: Callable[..., Face], colour: str) -> None:
        """Law 1.3: an exception of the store's never becomes a 401."""
        with pytest.raises(ZeroDivisionError):
            make(ag.ApiKeys(counting(colour, ZeroDivisionError()))).admit(view(presented(KEY)), ag.is_api_key)

    def test_the_end_of_its_keys_is_judged(self, make: Callable[..., Face], colour: str) -> None:
        """The gate judges ``expires_at``, so a store cannot forget to."""
        store = counting(colour, ag.ApiKey(id="k1", expires_at=NOW))
        with pytest.raises(ag.InvalidApiKey, match="expired"):
            make(ag.ApiKeys(store)).admit(view(presented(KEY)), ag.is_api_key)

    def test_a_sync_gate_wants_a_sync_store(self) -> None:
        """Law 9.4: the wrong colour is a configuration error, and so is what is no store."""
        assert [
            "api_keys: AsyncCounting.look_up is async; write it with `def` for Gate, or use AsyncGate"
        ] == (problems(ag.ApiKeys(AsyncCounting())))
        assert [
            "api_keys: Counting.look_up is sync; write it with `async def` for AsyncGate, or use Gate"
        ] == (problems(ag.ApiKeys(Counting()), "async"))
        assert ["api_keys: object has no method look_up(); see authgate_core.ports"] == (
            problems(ag.ApiKeys(object()))  # type: ignore[arg-type]  # on purpose
        )

    def test_a_coroutine_is_no_answer(self) -> None:
        """Law 9.4: a plain method that returns a coroutine is found at the first request."""

        class Sly:
            def look_up(self, credential: ApiKeyCredential) -> Any:
                return AsyncCounting().look_up(credential)

        with (
            ag.Gate(ag.GateConfig(api_keys=ag.ApiKeys(Sly()))) as gate,
            pytest.raises(TypeError, match="look_up of the store of API keys is async"),
        ):
            gate.admit(view(presented(KEY)), ag.is_api_key)


class TestConfiguration:
    def test_a_gate_may_know_nothing_but_keys(self, make: Callable[..., Face]) -> None:
        """Law 1.6: keys are a source like issuers and projects."""
        gate = make(ag.ApiKeys.static(stored(KEY))).gate
        gate.check_policy(ag.is_api_key)
        with pytest.raises(ag.ConfigurationError, match="nobody issues users"):
            gate.check_policy(ag.is_user | ag.is_api_key)

    def test_a_policy_for_keys_needs_keys(self, fake: FakeIssuer, colour: str) -> None:
        """Law 1.6: a policy that nobody could satisfy is found when it is registered."""
        with gates(fake, colour) as trusting:
            gate = trusting().gate
            with pytest.raises(ag.ConfigurationError, match=r"nobody knows API keys; give api_keys=ApiKeys"):
                gate.check_policy(ag.is_api_key)

    @pytest.mark.parametrize(
        ("keys", "problem"),
        [
            ({}, "there is none; add a key, or leave api_keys= out"),
            ([], "give a mapping of key ids, or ApiKeys.from_file(path)"),
            ({"k": 1}, "['k'] must be a table such as {secret_hash = ...}; mint one with"),
            ({"k": {}}, "['k'].secret_hash: write the hash that `python -m authgate_core api-key` prints"),
            ({"k": {"secret_hash": "sha256:x"}}, "['k'].secret_hash: write the hash"),
            (stored(KEY, scope=["a"]), f"[{KEY.id!r}].scope: is not known; write scopes"),
            (stored(KEY, zzz=1), f"[{KEY.id!r}].zzz: is not known; write one of secret_hash, owner_id"),
            (stored(KEY, scopes="a b"), f"[{KEY.id!r}].scopes: write a list of names"),
            (stored(KEY, roles=[""]), f"[{KEY.id!r}].roles: write a list of names"),
            (stored(KEY, owner_id=7), f"[{KEY.id!r}].owner_id: write 1 to 255 printable characters"),
            (stored(KEY, service="a\nb"), f"[{KEY.id!r}].service: write 1 to 255"),
            (stored(KEY, tenant=""), f"[{KEY.id!r}].tenant: write 1 to 255"),
            (stored(KEY, expires_at="2027-01-01"), f"[{KEY.id!r}].expires_at: write a date and time"),
            (stored(KEY, expires_at=True), f"[{KEY.id!r}].expires_at: write"),
            (stored(KEY, expires_at=-1), f"[{KEY.id!r}].expires_at: write"),
            (stored(KEY, expires_at=float("nan")), f"[{KEY.id!r}].expires_at: write"),
            (stored(KEY, expires_at=datetime(2027, 1, 1)), f"[{KEY.id!r}].expires_at: write"),  # noqa: DTZ001
        ],
    )
    def test_what_is_wrong_with_a_table(self, keys: Any, problem: str) -> None:
        """Law 1.6: the id, the member and the fix are named, and no value is repeated."""
        (found,) = problems(ag.ApiKeys.static(keys))
        assert f"api_keys: {problem}" in found

    def test_everything_that_is_wrong_is_told(self) -> None:
        """Law 1.6: all of it in one message."""
        wrong = {"a": {"scopes": 1, "secret_hash": 2}, "b": {"expires_at": 1}}
        assert 3 == len(problems(ag.ApiKeys.static(wrong)))

    def test_what_is_no_key_store(self) -> None:
        """Law 1.6: the setting says what to write instead."""
        assert [
            "api_keys: give ApiKeys.from_file(path), ApiKeys.redis(url) or ApiKeys(store), not a dict"
        ] == (problems({}))

    def test_a_file(self, tmp_path: Path, make: Callable[..., Face]) -> None:
        """A TOML file has one table for each key, and its dates are read."""
        path = tmp_path / "keys.toml"
        table = f'[{KEY.id}]\nsecret_hash = "{KEY.secret_hash}"\nexpires_at = 2037-01-15T09:00:00+01:00\n'
        path.write_text(table, encoding="utf-8")
        key = make(ag.ApiKeys.from_file(path)).admit(view(presented(KEY)), ag.is_api_key).api_key
        assert datetime(2037, 1, 15, 8, tzinfo=UTC).timestamp() == key.expires_at

    @pytest.mark.parametrize("text", [None, "= 1", "[a]\nb = 1"])
    def test_a_file_that_cannot_be_used(self, tmp_path: Path, text: str | None) -> None:
        """Law 1.6: the file is named."""
        path = tmp_path / "keys.toml"
        if text is not None:
            path.write_text(text, encoding="utf-8")
        (first, *_) = problems(ag.ApiKeys.from_file(path))
        assert repr(str(path)) in first

    def test_nothing_is_shown(self) -> None:
        """Law 2.5: repr of keys has no hash, and of a server no password."""
        keys = ag.ApiKeys.static(stored(KEY))
        assert "StaticKeys(1 keys)" in repr(keys)
        for store in (
            open_keys(ag.GateConfig(api_keys=keys), *TERMS),
            open_async_keys(ag.GateConfig(api_keys=keys), *TERMS),
        ):
            assert repr(store).endswith("LocalKeys(StaticKeys(1 keys))")
        assert "s3cret" not in repr(ag.ApiKeys.redis("redis://u:s3cret@localhost:6379/0"))

    def test_keys_that_are_changed_afterwards_stay(self, make: Callable[..., Face]) -> None:
        """Law 7.2: what was checked is what is used."""
        tables = stored(KEY)
        gate = make(ag.ApiKeys.static(tables))
        tables.clear()
        assert gate.admit(view(presented(KEY)), ag.is_api_key)


class Desk:
    """``gate.api_keys`` of either colour.

    Args:
        gate: The gate.
    """

    def __init__(self, gate: Face) -> None:
        self._gate = gate

    def __getattr__(self, name: str) -> Callable[..., Any]:
        import asyncio

        method = getattr(self._gate.gate.api_keys, name)
        if not isinstance(self._gate, AsyncFace):
            return method  # type: ignore[no-any-return]  # of whichever name
        return lambda *args, **named: asyncio.run(method(*args, **named))


def _not_ours(*_: object) -> None:
    raise AssertionError("only the port is ours to call")


class TestUse:
    def test_when_a_key_was_last_used(self, make: Callable[..., Face]) -> None:
        """A key of the configuration knows it of this process; a refusal is no use."""
        clock = ManualClock(Instant(NOW, 0.0))
        keys = ag.ApiKeys.static(stored(KEY, expires_at=NOW + 60) | stored(OTHER))
        gate = make(keys, clock)
        assert Desk(gate).last_used(KEY.id) is None
        gate.admit(view(presented(KEY)), ag.is_api_key)
        assert NOW == Desk(gate).last_used(KEY.id)
        clock.advance(60)
        with pytest.raises(ag.InvalidApiKey):
            gate.admit(view(presented(KEY)), ag.is_api_key)
        assert (NOW, None) == (Desk(gate).last_used(KEY.id), Desk(gate).last_used(OTHER.id))

    @pytest.mark.parametrize("ask", ["mint", "remove", "last_used"])
    def test_a_store_of_ones_own_is_asked_by_its_port_alone(
        self, make: Callable[..., Face], colour: str, ask: str
    ) -> None:
        """A method of that name on somebody else's object is not ours to call."""
        store: Any = counting(colour)
        store.remove = store.add = store.last_used = store.close = store.aclose = _not_ours
        desk = Desk(make(ag.ApiKeys(store)))
        with pytest.raises(ag.ConfigurationError, match=r"api_keys: this gate keeps none where they can be"):
            getattr(desk, ask)(*([] if ask == "mint" else ["k1"]))

    @pytest.mark.parametrize("ask", ["mint", "remove"])
    def test_keys_of_a_file_are_changed_there(self, make: Callable[..., Face], ask: str) -> None:
        """Nothing is written into the memory of one process that the others do not know."""
        desk = Desk(make(ag.ApiKeys.static(stored(KEY))))
        with pytest.raises(ag.ConfigurationError, match=r"give api_keys=ApiKeys.redis\(url\)"):
            getattr(desk, ask)(*([] if ask == "mint" else [KEY.id]))

    def test_a_gate_without_keys_mints_none(self, fake: FakeIssuer, colour: str) -> None:
        """Law 1.6: the setting is named."""
        with gates(fake, colour) as trusting:
            desk = Desk(trusting())
            for ask, given in (("mint", ()), ("remove", ("k",)), ("last_used", ("k",))):
                with pytest.raises(ag.ConfigurationError, match="api_keys: this gate keeps none"):
                    getattr(desk, ask)(*given)


class TestCommand:
    def test_what_is_minted_admits(
        self, capsys: pytest.CaptureFixture[str], make: Callable[..., Face]
    ) -> None:
        """The key is shown once, with the table for the file; advice goes to standard error."""
        command.main(["api-key", "--prefix", "shop"])
        out, err = capsys.readouterr()
        key, _, table = out.partition("\n")
        gate = make(ag.ApiKeys.static(tomllib.loads(table), prefix="shop"))
        assert gate.admit(view(("x-api-key", key)), ag.is_api_key)
        assert key.startswith("shop_")
        assert "kept nowhere" in err
        assert key not in err

    def test_a_prefix_that_begins_no_key(self, capsys: pytest.CaptureFixture[str]) -> None:
        """Nothing is minted that no gate would take."""
        with pytest.raises(SystemExit) as caught:
            command.main(["api-key", "--prefix", "a-b"])
        assert 2 == caught.value.code
        assert "begins no key" in capsys.readouterr().err

    def test_it_is_named_by_the_usage(self, capsys: pytest.CaptureFixture[str]) -> None:
        """Without arguments the command says what there is."""
        command.main([])
        assert "python -m authgate_core api-key" in capsys.readouterr().out

    def test_as_a_program(self) -> None:
        """It runs without a service, and without what only a service needs."""
        ran = subprocess.run(
            [sys.executable, "-m", "authgate_core", "api-key"], capture_output=True, check=True, text=True
        )
        assert key_id(ran.stdout.partition("\n")[0], "key") is not None


class TestPrincipal:
    def test_it_is_what_it_shows(self) -> None:
        """A key is JSON as it shows itself, and never made of input."""
        key = ag.ApiKey(id="k1", owner_id="u1", expires_at=1.5, scopes=["a"])
        assert json.loads(json.dumps(key.to_dict())) == {
            "id": "k1",
            "issuer": "api_keys",
            "tenant": None,
            "roles": [],
            "scopes": ["a"],
            "owner_id": "u1",
            "service": None,
            "expires_at": 1.5,
            "prefix": None,
        }

    def test_a_hierarchy_adds_and_takes_nothing(self) -> None:
        """Law 8.5: what roles imply is known besides; all else stays."""
        key = ag.ApiKey(
            id="k1",
            owner_id="u1",
            service="s",
            expires_at=1.0,
            prefix="p",
            tenant="t",
            roles=["a"],
            scopes=["x"],
        )
        implying = key.implying(frozenset({"a", "b"}))
        assert key.to_dict() == implying.to_dict()
        assert (True, True, False) == (implying.has_role("a"), implying.has_role("b"), key.has_role("b"))

    def test_a_mapping_of_claims_is_empty(self) -> None:
        """A key has no claims, so nothing of one can be asked for."""
        empty: Mapping[str, Any] = ag.ApiKey(id="k1").claims
        assert {} == dict(empty)
