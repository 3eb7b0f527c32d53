"""Refresh tokens of an m8 in a real Valkey, in both colours and over processes: each is good once."""

from __future__ import annotations

import asyncio
import json
import logging
import multiprocessing
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

import authgate_core as ag
from authgate_core.events import Notice
from authgate_core.io.redis.families import Families, read_use
from authgate_core.m8 import AsyncRefreshTokens, NextToken, RefreshTokens
from authgate_core.testing import ManualClock

ADA = "7a1c0d6e-2f57-4b5b-9c4e-0123456789ab"
SECRET = "Refresh_tokens-of-this-m8-are-signed-with-0123456789"
USES = 50


def signed(new: NextToken, secret: str = SECRET, **claims: object) -> str:
    """The token that an m8 signs."""
    return jwt.encode({**new.claims(), **claims}, secret, "HS256")


class Driven:
    """Either colour as tests use it, with what was told.

    Args:
        colour: ``sync`` or ``async``.
        url: Where the server is.
        options: As for ``RefreshTokens``.
    """

    def __init__(self, colour: str, url: Any, **options: Any) -> None:
        self.told: list[tuple[str, ...]] = []
        self.notices: list[Any] = []
        kind: Any = RefreshTokens if colour == "sync" else AsyncRefreshTokens
        given = {"secret": SECRET, "hooks": self, "on_event": self.notices.append, **options}
        self._runner = None if colour == "sync" else asyncio.Runner()
        self.tokens = kind(url, **given)

    def on_success(self, *, jti: str, sub: str, token_type: str) -> None:
        self.told.append(("success", jti, sub, token_type))

    def on_failure(self, *, reason: str, token_type: str) -> None:
        self.told.append((reason, token_type))

    def begin(self, sub: str = ADA) -> NextToken:
        new: NextToken = self._done(self.tokens.begin(sub))
        return new

    def rotate(self, token: str) -> NextToken:
        new: NextToken = self._done(self.tokens.rotate(token))
        return new

    def end(self, token: str) -> None:
        self._done(self.tokens.end(token))

    def at_once(self, token: str, times: int) -> list[NextToken | BaseException]:
        """Use one token several times at the same time."""
        if self._runner is None:
            with ThreadPoolExecutor(times) as pool:
                return list(pool.map(self._caught, [token] * times))
        return self._runner.run(self._gathered(token, times))

    def _caught(self, token: str) -> NextToken | BaseException:
        try:
            return self.rotate(token)
        except ag.AuthgateError as error:
            return error

    async def _gathered(self, token: str, times: int) -> list[NextToken | BaseException]:
        answers: list[NextToken | BaseException] = await asyncio.gather(
            *(self.tokens.rotate(token) for _ in range(times)), return_exceptions=True
        )
        return answers

    def close(self) -> None:
        if self._runner is None:
            self.tokens.close()
        else:
            self._runner.run(self.tokens.aclose())
            self._runner.close()

    def _done(self, answer: Any) -> Any:
        async def wait() -> Any:
            return await answer

        return answer if self._runner is None else self._runner.run(wait())


@pytest.fixture(params=["sync", "async"])
def colour(request: pytest.FixtureRequest) -> str:
    """Both colours."""
    return str(request.param)


@pytest.fixture
def make(colour: str, valkey_url: str, prefix: str) -> Iterator[Callable[..., Driven]]:
    """Makes them, on the shared server unless told otherwise."""
    made: list[Driven] = []

    def new(url: Any = valkey_url, **options: Any) -> Driven:
        made.append(Driven(colour, url, **{"prefix": prefix, **options}))
        return made[-1]

    yield new
    for one in made:
        one.close()


def refused(tokens: Driven, token: str) -> ag.AuthgateError:
    """Why a token is not rotated."""
    with pytest.raises(ag.AuthgateError) as caught:
        tokens.rotate(token)
    return caught.value


class TestRotation:
    def test_each_names_the_next(self, make: Callable[..., Driven]) -> None:
        """A login begins a family, and each use gives what the next token has to say."""
        tokens = make(lifetime=600.0)
        first = tokens.begin()
        second = tokens.rotate(signed(first))
        third = tokens.rotate(signed(second))
        assert [None, first.jti, second.jti] == [one.replaces for one in (first, second, third)]
        assert 3 == len({one.jti for one in (first, second, third)})
        assert {ADA} == {one.sub for one in (first, second, third)}
        assert {"type": "refresh", "sub": ADA, "jti": third.jti, "exp": third.exp} == third.claims()
        assert 590 < third.exp - time.time() <= 600

    def test_hooks(self, make: Callable[..., Driven]) -> None:
        """They hear of each good use with the name of the new token, and of each other why."""
        tokens = make()
        first = tokens.begin()
        second = tokens.rotate(signed(first))
        refused(tokens, signed(first))
        refused(tokens, "x")
        assert [
            ("success", second.jti, ADA, "refresh"),
            ("reused", "refresh"),
            ("invalid", "refresh"),
        ] == tokens.told

    def test_hooks_that_fail(self, make: Callable[..., Driven], caplog: pytest.LogCaptureFixture) -> None:
        """Law 10.2: they are logged and change nothing."""

        class Broken:
            def on_success(self, **_told: str) -> None:
                raise RuntimeError("no disk")

            on_failure = on_success

        tokens = make(hooks=Broken())
        first = tokens.begin()
        with caplog.at_level(logging.ERROR, "authgate"):
            tokens.rotate(signed(first))
            refused(tokens, "x")
        assert ["the hooks failed on a rotation", "the hooks failed on a refusal"] == caplog.messages

    @given(uses=st.lists(st.integers(0, 3), max_size=8))
    def test_only_the_newest_is_good(self, shared_valkey: Any, uses: list[int]) -> None:
        """Whichever of the tokens so far is used next: the newest goes on, any other ends it for good."""
        tokens = Driven("sync", shared_valkey.url, prefix=f"test-{secrets.token_hex(6)}")
        known, alive = [tokens.begin()], True
        for use in uses:
            used = known[max(0, len(known) - 1 - use)]
            if alive and used is known[-1]:
                known.append(tokens.rotate(signed(used)))
            else:
                alive = False
                assert isinstance(refused(tokens, signed(used)), ag.TokenReused)
        tokens.close()

    def test_as_a_context(self, colour: str, valkey_url: str, prefix: str) -> None:
        """The connections end with a block."""
        if colour == "sync":
            with RefreshTokens(valkey_url, secret=SECRET, prefix=prefix) as tokens:
                assert ADA == tokens.rotate(signed(tokens.begin(ADA))).sub
            return

        async def within() -> str:
            async with AsyncRefreshTokens(valkey_url, secret=SECRET, prefix=prefix) as tokens:
                return (await tokens.rotate(signed(await tokens.begin(ADA)))).sub

        assert ADA == asyncio.run(within())


class TestReuse:
    def test_the_family_ends(self, make: Callable[..., Driven]) -> None:
        """Whoever uses a token twice, or used it first, has nothing that is good afterwards."""
        tokens = make()
        first = tokens.begin()
        second = tokens.rotate(signed(first))
        error = refused(tokens, signed(first))
        assert isinstance(error, ag.TokenReused)
        assert (401, "token_reused", "token_invalid", ADA) == (
            error.status,
            error.code,
            error.public_code,
            error.subject,
        )
        assert "token_reused" == refused(tokens, signed(second)).code

    def test_other_families_go_on(self, make: Callable[..., Driven]) -> None:
        """Another login of the same user is another family."""
        tokens = make()
        stolen, other = tokens.begin(), tokens.begin()
        tokens.rotate(signed(stolen))
        refused(tokens, signed(stolen))
        assert ADA == tokens.rotate(signed(other)).sub

    def test_it_is_told_once(self, make: Callable[..., Driven]) -> None:
        """An alarm for each theft, and none for each time that a thief tries again."""
        tokens = make()
        first = tokens.begin()
        tokens.rotate(signed(first))
        for _ in range(3):
            refused(tokens, signed(first))
        assert [("refresh_token_reused", True)] == [
            (one.code, one.alarm) for one in tokens.notices if isinstance(one, Notice)
        ]

    def test_of_fifty_at_once_one_is_answered(self, make: Callable[..., Driven]) -> None:
        """And the family is ended, for it is not known which of them was the thief."""
        tokens = make()
        first = tokens.begin()
        answers = tokens.at_once(signed(first), USES)
        (won,) = [one for one in answers if isinstance(one, NextToken)]
        assert [ag.TokenReused] * (USES - 1) == [type(one) for one in answers if one is not won]
        assert isinstance(refused(tokens, signed(won)), ag.TokenReused)


WORKER = """
import sys
from authgate_core import AuthgateError
from authgate_core.m8 import RefreshTokens
url, prefix, secret = sys.argv[1:]
tokens = RefreshTokens(url, secret=secret, prefix=prefix)
print("ready", flush=True)
for token in sys.stdin.readline().split():
    try:
        print(tokens.rotate(token).jti, flush=True)
    except AuthgateError as error:
        print(error.code, flush=True)
"""


class TestProcesses:
    def test_of_fifty_uses_in_five_processes_one_is_answered(self, valkey_url: str, prefix: str) -> None:
        """What decides is the server's, so it does not matter where they meet."""
        tokens = RefreshTokens(valkey_url, secret=SECRET, prefix=prefix)
        token = signed(tokens.begin(ADA))
        command = [sys.executable, "-c", WORKER, valkey_url, prefix, SECRET]
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        workers = [subprocess.Popen(command, **pipes) for _ in range(5)]
        assert ["ready\n"] * 5 == [worker.stdout.readline() for worker in workers if worker.stdout]
        for worker in workers:
            assert worker.stdin is not None
            worker.stdin.write(" ".join([token] * 10) + "\n")
            worker.stdin.flush()
        said = [line for worker in workers for line in worker.communicate()[0].split()]
        assert (USES, USES - 1) == (len(said), said.count("token_reused"))
        tokens.close()

    def test_after_a_fork(self, own_valkey: Any, prefix: str) -> None:
        """Law 9.5: a child has connections of its own, and its parent goes on."""
        tokens = RefreshTokens(own_valkey.url, secret=SECRET, prefix=prefix)
        first = tokens.begin(ADA)
        ours, theirs = multiprocessing.Pipe()
        child = os.fork()
        if not child:
            theirs.send(tokens.rotate(signed(first)).claims())
            os._exit(0)
        claims = ours.recv()
        assert 0 == os.waitpid(child, 0)[1]
        assert claims["jti"] == tokens.rotate(jwt.encode(claims, SECRET, "HS256")).replaces
        tokens.close()


class TestLogout:
    def test_it_ends_the_family(self, make: Callable[..., Driven]) -> None:
        """None of its tokens is good afterwards, and that is no theft."""
        tokens = make()
        first = tokens.begin()
        second = tokens.rotate(signed(first))
        tokens.end(signed(second))
        assert ["token_revoked"] * 2 == [refused(tokens, signed(one)).code for one in (first, second)]
        assert [] == [one for one in tokens.notices if isinstance(one, Notice)]

    def test_twice_and_after_a_theft(self, make: Callable[..., Driven]) -> None:
        """What has ended stays as it ended."""
        tokens = make()
        first = tokens.begin()
        tokens.rotate(signed(first))
        refused(tokens, signed(first))
        for _ in range(2):
            tokens.end(signed(first))
        assert "token_reused" == refused(tokens, signed(first)).code

    def test_only_a_genuine_one(self, make: Callable[..., Driven]) -> None:
        """A forgery ends nobody's family."""
        tokens = make()
        first = tokens.begin()
        with pytest.raises(ag.BadSignature):
            tokens.end(signed(first, SECRET.upper()))
        assert first.jti == tokens.rotate(signed(first)).replaces


class TestTokens:
    @pytest.mark.parametrize(
        ("claims", "code", "reason"),
        [
            ({"type": "access"}, "token_claim", "wrong_type"),
            ({"type": "Refresh"}, "token_claim", "wrong_type"),
            ({"exp": 1}, "token_expired", "expired"),
            ({"exp": "soon"}, "token_claim", "invalid"),
            ({"nbf": 253402300799}, "token_claim", "invalid"),
            ({"iss": "https://users.example.com"}, "token_claim", "invalid"),
            ({"sub": "ada"}, "token_claim", "invalid_payload"),
            ({"sub": ADA.upper()}, "token_claim", "invalid_payload"),
            ({"sub": "00000000-0000-0000-0000-000000000000"}, "token_revoked", "revoked"),
            ({"jti": "a b"}, "token_claim", "invalid"),
            ({"jti": "6f0e0a3e-0000"}, "token_revoked", "revoked"),
            ({"jti": f"{'0' * 32}.{'0' * 32}"}, "token_revoked", "revoked"),
            ({"cnf": {}}, "token_claim", "invalid"),
        ],
    )
    def test_what_is_no_good(
        self, make: Callable[..., Driven], claims: dict[str, Any], code: str, reason: str
    ) -> None:
        """Whatever is wrong with it, it uses nothing up."""
        tokens = make()
        first = tokens.begin()
        assert code == refused(tokens, signed(first, **claims)).code
        assert [(reason, "refresh")] == tokens.told
        assert first.jti == tokens.rotate(signed(first)).replaces

    @pytest.mark.parametrize("left_out", ["sub", "jti", "exp", "type"])
    def test_what_is_missing(self, make: Callable[..., Driven], left_out: str) -> None:
        """Each of its four claims is needed."""
        tokens = make()
        claims = {name: value for name, value in tokens.begin().claims().items() if name != left_out}
        assert "token_claim" == refused(tokens, jwt.encode(claims, SECRET, "HS256")).code

    @pytest.mark.parametrize("algorithm", ["HS512", "none"])
    def test_another_algorithm(self, make: Callable[..., Driven], algorithm: str) -> None:
        """Law 3.2: HS256 and nothing else."""
        tokens = make(secret=SECRET * 2)
        key = "" if algorithm == "none" else SECRET * 2
        token = jwt.encode(tokens.begin().claims(), key, algorithm)
        assert refused(tokens, token).code in {"token_algorithm", "token_malformed"}

    def test_an_issuer(self, make: Callable[..., Driven]) -> None:
        """Law 3.5: where one is set, tokens are of it."""
        tokens = make(issuer="https://users.example.com")
        first = tokens.begin()
        assert "token_claim" == refused(tokens, signed(first)).code
        assert first.jti == tokens.rotate(signed(first, iss="https://users.example.com")).replaces

    def test_no_leeway(self, make: Callable[..., Driven]) -> None:
        """Law 5.8: a family is kept for its newest token, which is good for its lifetime and no longer."""
        clock = ManualClock()
        tokens = make(clock=clock, lifetime=60.0)
        first = tokens.begin()
        clock.advance(59)
        second = tokens.rotate(signed(first))
        clock.advance(60)
        assert "token_expired" == refused(tokens, signed(second)).code

    @pytest.mark.parametrize("sub", ["", "ada", ADA.upper(), None])
    def test_a_login_of_nobody(self, make: Callable[..., Driven], sub: Any) -> None:
        """No token of such a user would be accepted."""
        with pytest.raises(ValueError, match="UUID in lower case"):
            make().begin(sub)


class TestSecrecy:
    def test_no_frame_holds_the_token(self, make: Callable[..., Driven]) -> None:
        """Law 2.5: neither in what is raised nor behind it."""
        tokens = make()
        token = signed(tokens.begin(), SECRET.upper())
        error = refused(tokens, token)
        frames = error.__traceback__
        while frames is not None:
            if "authgate_core" in frames.tb_frame.f_code.co_filename:
                assert token not in repr(frames.tb_frame.f_locals)
            frames = frames.tb_next
        assert (None, None) == (error.__cause__, error.__context__)

    def test_shown_masked(self, make: Callable[..., Driven]) -> None:
        """Law 2.5: neither the secret nor the password of the server."""
        shown = repr(make("redis://ada:hunter2@127.0.0.1:1").tokens)
        assert "hunter2" not in shown
        assert SECRET not in shown

    def test_what_the_server_is_told(self, make: Callable[..., Driven], own_valkey: Any, prefix: str) -> None:
        """One key for each family, which ends by itself after its newest token."""
        tokens = make(own_valkey.url, lifetime=600.0)
        first = tokens.begin()
        tokens.rotate(signed(first))
        client = own_valkey.client()
        (key,) = client.keys("*")
        assert f"{prefix}:refresh:{first.jti.partition('.')[0]}" == key.decode()
        assert 715_000 < client.pttl(key) <= 720_000
        assert {b"sub", b"current"} == set(client.hgetall(key))


class TestOutages:
    def test_no_answer_is_no_refusal(self, make: Callable[..., Driven], own_valkey: Any) -> None:
        """Law 1.5: 503, no hook hears of it, and after it what the server kept counts."""
        tokens = make(own_valkey.url)
        first = tokens.begin()
        own_valkey.stop()
        assert (503, "revocation_unavailable") == (
            (error := refused(tokens, signed(first))).status,
            error.code,
        )
        assert [] == tokens.told
        for call in (tokens.end, lambda _token: tokens.begin()):
            with pytest.raises(ag.RevocationUnavailable):
                call(signed(first))

    def test_a_server_that_forgot(self, make: Callable[..., Driven], own_valkey: Any) -> None:
        """What cannot be checked is refused: everybody logs in again."""
        tokens = make(own_valkey.url)
        first = tokens.begin()
        own_valkey.client().flushall()
        assert "token_revoked" == refused(tokens, signed(first)).code

    def test_the_breaker(self, make: Callable[..., Driven], own_valkey: Any) -> None:
        """Law 5.5: after five failures nobody waits for the server."""
        tokens = make(own_valkey.url)
        first = tokens.begin()
        own_valkey.freeze()
        for _ in range(5):
            refused(tokens, signed(first))
        assert "refresh_tokens_breaker_open" in [one.code for one in tokens.notices]
        own_valkey.thaw()

    def test_an_answer_that_was_not_heard(self, valkey_url: str, prefix: str, shared_valkey: Any) -> None:
        """Law 5.4: what is asked again because the connection was closed is the same use, and no theft."""
        families, client = Families(prefix, 60.0), shared_valkey.client()

        def said(query: Any) -> str:
            (command,) = query
            return read_use([client.execute_command(*command)])

        assert "renewed" == said(families.begin("f", ADA, "1"))
        assert ["renewed", "renewed"] == [said(families.renew("f", ADA, "1", "2")) for _ in range(2)]
        assert ["stolen", "reused"] == [said(families.renew("f", ADA, "1", "3")) for _ in range(2)]

    @pytest.mark.parametrize("reply", [None, 1, b"", b"good", [b"renewed"], b"\xff"], ids=repr)
    def test_an_answer_of_another_kind(self, reply: object) -> None:
        """Law 1.3: whatever comes back, it is an outage."""
        with pytest.raises(ag.RevocationUnavailable, match="something else than was asked"):
            read_use([reply])

    def test_what_the_server_does_not_let_us(
        self, make: Callable[..., Driven], own_valkey: Any, prefix: str
    ) -> None:
        """An error reply is no answer."""
        own_valkey.client().execute_command("ACL", "SETUSER", "r", "on", ">pw", "~*", "+hello")
        tokens = make(f"redis://r:pw@127.0.0.1:{own_valkey.port}")
        with pytest.raises(ag.RevocationUnavailable, match=r"Redis refused: .*no permissions"):
            tokens.begin()


class TestConfiguration:
    @pytest.mark.parametrize(
        ("options", "problem"),
        [
            ({"secret": "short"}, "secret: "),
            ({"lifetime": 0}, "lifetime: write a number of seconds"),
            ({"lifetime": True}, "lifetime: write a number of seconds"),
            ({"lifetime": "1 day"}, "lifetime: write a number of seconds"),
            ({"issuer": ""}, "issuer: write the exact iss"),
            ({"prefix": "a b"}, "prefix: write 1 to 64"),
            ({"hooks": object()}, "hooks: give an object"),
        ],
    )
    def test_each_mistake_is_named(
        self, make: Callable[..., Driven], options: dict[str, Any], problem: str
    ) -> None:
        """Law 1.6: with the setting and what to write instead."""
        with pytest.raises(ag.ConfigurationError) as caught:
            make(**options)
        assert [problem] == [one[: len(problem)] for one in caught.value.problems]

    @pytest.mark.parametrize("server", ["http://h", "redis://h?socket_timeout=9", 7, None])
    def test_a_server(self, make: Callable[..., Driven], server: Any) -> None:
        """Law 5.4: a URL with our own limits, or a client of redis-py."""
        with pytest.raises(ag.ConfigurationError):
            make(server)

    def test_a_client_of_the_other_colour(self, colour: str, valkey_url: str) -> None:
        """Law 9.4: it would not be awaited, or could not be."""
        import redis

        kind = redis.asyncio.Redis if colour == "sync" else redis.Redis
        with pytest.raises(ag.ConfigurationError, match="asyncio"):
            Driven(colour, kind.from_url(valkey_url))


def test_claims_are_json() -> None:
    """What is signed is what JSON can say."""
    assert '{"type": "refresh", "sub": "u", "jti": "f.s", "exp": 7}' == json.dumps(
        NextToken("u", "f.s", 7).claims()
    )
