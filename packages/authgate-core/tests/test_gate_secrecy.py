"""What a caller presents stays with the gate: error reporters find it nowhere (Law 2.5)."""

from __future__ import annotations

import pickle
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import authgate_core as ag
from authgate_core.request import Memo
from authgate_core.testing import FakeIssuer
from tests.support.gates import PROJECT, Face, bearer, face, gates, store, trusted, view


@pytest.fixture(name="fake", scope="module")
def _fake() -> FakeIssuer:
    return FakeIssuer(url="https://id.test")


@pytest.fixture(name="colour", params=["sync", "async"])
def _colour(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(name="make")
def _make(fake: FakeIssuer, colour: str) -> Iterator[Callable[..., Face]]:
    with gates(fake, colour) as make:
        yield make


class TestNothingIsShown:
    """Law 2.5: error reporters write out the locals of every frame, and follow every cause."""

    @pytest.mark.parametrize("how", ["verify", "judge", "bug", "revoke", "revoke with scheme", "no store"])
    def test_a_whole_token_is_in_no_frame_of_ours(
        self, make: Callable[..., Face], fake: FakeIssuer, colour: str, how: str
    ) -> None:
        """Also where the token is handed in as an argument."""
        bug = store(colour, ZeroDivisionError())
        log = ag.MemoryRevocation()
        tokens = {"verify": fake.hostile.forged("u1"), "revoke": fake.hostile.forged("u1")}
        token = tokens.get(how, fake.token("u1"))
        calls: dict[str, Callable[[], object]] = {
            "verify": lambda: make().verify_token(token),
            "judge": lambda: make().verify_token(token, ag.any_role("admin")),
            "bug": lambda: make(revocation=bug).verify_token(token),
            "revoke": lambda: make(revocation=log).revoke("revoke_token", token),
            "revoke with scheme": lambda: make(revocation=log).revoke("revoke_token", f"Bearer {token}"),
            "no store": lambda: make().revoke("revoke_token", token),
        }

        shown = locals_of_our_frames(calls[how])

        assert [] == [part for part in token.split(".") if part in shown]

    @pytest.mark.parametrize("policy", ["is_user", ["is_user"]], ids=["text", "list"])
    def test_a_token_that_is_remembered_is_in_no_frame_of_ours(
        self, make: Callable[..., Face], fake: FakeIssuer, policy: Any
    ) -> None:
        """Nor where what is wrong is the policy, which is found out while the token is at hand."""
        gate, token = make(), fake.token("u1")
        assert gate.verify_token(token)

        shown = locals_of_our_frames(lambda: gate.verify_token(token, policy))

        assert [] == [part for part in token.split(".") if part in shown]

    @pytest.mark.parametrize("memo", [None, Memo()], ids=["no memo", "memo"])
    def test_a_bug_of_the_application_at_a_hit(
        self, fake: FakeIssuer, colour: str, memo: Memo | None
    ) -> None:
        """A policy may read what a router of the application's made of the path."""

        class Broken(str):
            __slots__ = ()

            def __str__(self) -> str:
                raise ZeroDivisionError

        gate = face(colour, ag.GateConfig(issuers=[trusted(fake, tenant="org")]))
        token = fake.token("u1", org="north")
        assert gate.verify_token(token)
        request = view(bearer(token), path_params={"org": Broken("north")}, memo=memo)

        shown = locals_of_our_frames(lambda: gate.admit(request, ag.is_user & ag.same_tenant(path="org")))

        assert [] == [part for part in token.split(".") if part in shown]

    def test_causes_keep_their_text_and_lose_their_frames(self, colour: str) -> None:
        """What a port of one's own held when it failed is not handed on."""
        gate = face(colour, ag.GateConfig(projects=failing_directory(colour)))
        with pytest.raises(ag.ProjectsUnavailable) as caught:
            gate.admit(view(*PROJECT), ag.is_project)
        gate.close()

        causes, cause = [], caught.value.__cause__
        while cause is not None:
            causes.append((str(cause), cause.__traceback__, cause.__context__ is cause.__cause__))
            cause = cause.__cause__
        assert [("down", None, True), ("the pool is empty", None, True)] == causes

    def test_what_was_being_handled_is_not_handed_on(
        self, make: Callable[..., Face], fake: FakeIssuer
    ) -> None:
        """Python keeps it as the context, also after ``from None``; here it quotes the claims."""

        def refuse(claims: Any) -> None:
            raise ValueError(dict(claims))

        with pytest.raises(ag.InvalidClaim) as caught:
            make(issuer={"validators": [refuse]}).verify_token(fake.token())

        assert caught.value.__context__ is None

    def test_causes_that_go_in_a_circle(self, make: Callable[..., Face], fake: FakeIssuer) -> None:
        """End as well."""
        outage, cause = ag.AuthUnavailable("down"), OSError("gone")

        def fail(claims: Any) -> None:
            cause.__cause__ = outage
            raise outage from cause

        with pytest.raises(ag.AuthUnavailable):
            make(issuer={"validators": [fail]}).verify_token(fake.token())

    def test_a_request_is_not_pickled(self, make: Callable[..., Face], fake: FakeIssuer) -> None:
        """Its headers hold the credentials; an admission that is queued would take them along."""
        admission = make().admit(view(bearer(fake.token("u1")), path_params={}), ag.is_user)

        with pytest.raises(TypeError, match="not pickled"):
            pickle.dumps(admission)
        assert "u1" == pickle.loads(pickle.dumps(admission.user)).id


def failing_directory(colour: str) -> Any:
    """A directory that holds the secret in a variable when it fails."""

    class Failing:
        def look_up(self, credentials: Any) -> ag.Project:
            secret = credentials.secret.reveal()
            try:
                return self.connect(secret)
            except ConnectionError as error:
                raise ag.AuthUnavailable("down") from error

        def connect(self, secret: str) -> ag.Project:
            raise ConnectionError("the pool is empty")

    class AsyncFailing(Failing):
        async def look_up(self, credentials: Any) -> ag.Project:  # type: ignore[override]  # the other colour
            return super().look_up(credentials)

    return Failing() if colour == "sync" else AsyncFailing()


def locals_of_our_frames(call: Callable[[], object]) -> str:
    """What a reporter would write of the frames of authgate_core, whatever the call raises."""
    try:
        call()
    except (ag.AuthgateError, ag.ConfigurationError, TypeError, ValueError, ZeroDivisionError) as error:
        shown = traceback.TracebackException.from_exception(error, capture_locals=True)
        frames = [frame for frame in shown.stack if "authgate_core" in frame.filename]
        assert frames
        return "\n".join(f"{frame.locals}" for frame in frames) + repr(error)
    raise AssertionError("nothing was raised")
