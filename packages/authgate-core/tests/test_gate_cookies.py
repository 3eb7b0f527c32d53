"""Tokens in cookies, at a gate of either colour (Law 2.9)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

import authgate_core as ag
from authgate_core.credentials import SUBPROTOCOL
from authgate_core.request import Memo
from authgate_core.testing import FakeIssuer
from tests.support.gates import PROJECT, Face, bearer, gates

PAGE = "https://app.example.com"
CONFIRMED = ("X-CSRF-Token", "c1")
HANDSHAKE = ("Sec-WebSocket-Version", "13")


@pytest.fixture(scope="module")
def fake() -> FakeIssuer:
    """An issuer."""
    return FakeIssuer(url="https://id.test")


@pytest.fixture(params=["sync", "async"])
def colour(request: pytest.FixtureRequest) -> str:
    """Both colours."""
    return str(request.param)


@pytest.fixture
def make(fake: FakeIssuer, colour: str) -> Iterator[Callable[..., Face]]:
    """Makes gates, which read cookies unless told otherwise."""
    with gates(fake, colour) as make:
        yield lambda **options: make(**{"cookies": ag.Cookies(origins=(PAGE,)), **options})


@pytest.fixture
def gate(make: Callable[..., Face]) -> Face:
    """A gate that reads cookies."""
    return make()


def kept(token: str, csrf: str = "c1") -> tuple[str, str]:
    """What a browser adds to a request."""
    return ("Cookie", f"theme=dark; __Host-auth_access={token}; __Host-auth_csrf={csrf}")


def asked(method: str, *headers: tuple[str, str], **options: Any) -> ag.RequestView:
    """A request."""
    return ag.RequestView(method, "/orders", headers, **options)


def refusal(gate: Face, view: ag.RequestView, policy: ag.Policy = ag.is_user) -> ag.AuthgateError:
    """Why a request is not admitted."""
    with pytest.raises(ag.AuthgateError) as caught:
        gate.admit(view, policy)
    return caught.value


class TestAdmitted:
    def test_who_reads(self, gate: Face, fake: FakeIssuer) -> None:
        """A request that changes nothing needs no more than the cookie."""
        assert "u1" == gate.admit(asked("GET", kept(fake.token("u1"))), ag.is_user).user.id

    @pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
    def test_who_changes_and_confirms(self, gate: Face, fake: FakeIssuer, method: str) -> None:
        """One that changes something repeats the CSRF value."""
        view = asked(method, kept(fake.token("u1")), CONFIRMED)

        assert "u1" == gate.admit(view, ag.is_user).user.id

    def test_a_handshake_of_our_page(self, gate: Face, fake: FakeIssuer) -> None:
        """A WebSocket has an Origin that is listed."""
        view = asked("GET", kept(fake.token("u1")), HANDSHAKE, ("Origin", PAGE))

        assert "u1" == gate.admit(view, ag.is_user).user.id

    def test_a_token_in_a_header(self, gate: Face, fake: FakeIssuer) -> None:
        """Without a cookie nothing has changed: a program's POST needs no CSRF value."""
        assert "u1" == gate.admit(asked("POST", bearer(fake.token("u1"))), ag.is_user).user.id

    def test_with_a_project(self, gate: Face, fake: FakeIssuer) -> None:
        """Credentials of another kind may come along."""
        view = asked("POST", kept(fake.token("u1")), CONFIRMED, *PROJECT)

        admission = gate.admit(view, ag.is_user & ag.is_project)

        assert ("u1", "shop") == (admission.user.id, admission.project.id)

    def test_cookies_of_others(self, gate: Face) -> None:
        """They present nothing."""
        error = refusal(gate, asked("POST", ("Cookie", "auth_access=x; __Host-other=y")))

        assert isinstance(error, ag.MissingCredentials)
        assert gate.admit(asked("POST", ("Cookie", "a=b")), ag.is_user, optional=True).get(ag.User) is None


class TestRefused:
    @pytest.mark.parametrize(
        "csrf", [(), (("X-CSRF-Token", "c2"),), (("X-CSRF-Token", ""),), (CONFIRMED, CONFIRMED)]
    )
    @pytest.mark.parametrize("method", ["POST", "DELETE", "PURGE"])
    def test_a_change_that_nobody_confirms(
        self, gate: Face, fake: FakeIssuer, method: str, csrf: tuple[tuple[str, str], ...]
    ) -> None:
        """403, also for an optional guard, and also from a listed Origin."""
        view = asked(method, kept(fake.token("u1")), ("Origin", PAGE), *csrf)

        assert isinstance(refusal(gate, view), ag.CrossSiteRefused)
        with pytest.raises(ag.CrossSiteRefused):
            gate.admit(view, ag.is_user, optional=True)

    @pytest.mark.parametrize("origin", [(), (("Origin", "https://evil.example"),), (("Origin", "null"),)])
    def test_a_handshake_of_another_page(
        self, gate: Face, fake: FakeIssuer, origin: tuple[tuple[str, str], ...]
    ) -> None:
        """A page of another site opens no WebSocket as the user, whatever it sends along."""
        view = asked("GET", kept(fake.token("u1")), HANDSHAKE, CONFIRMED, *origin)

        assert isinstance(refusal(gate, view), ag.CrossSiteRefused)

    def test_a_query_of_another_page(self, gate: Face, fake: FakeIssuer) -> None:
        """GraphQL by GET needs the Origin as well."""
        view = asked("GET", kept(fake.token("u1")))
        view.is_query = True
        again = view.with_memo(Memo())
        from_our_page = again.with_memo(Memo(), headers=(*again.headers, ("origin", PAGE)))

        assert isinstance(refusal(gate, view), ag.CrossSiteRefused)
        assert isinstance(refusal(gate, again), ag.CrossSiteRefused)
        assert "u1" == gate.admit(from_our_page, ag.is_user).user.id

    def test_nothing_is_verified_for_it(self, make: Callable[..., Face]) -> None:
        """A forged request costs no look at its token: even one that is no token is refused as forged."""
        assert isinstance(refusal(make(), asked("POST", kept("garbage"))), ag.CrossSiteRefused)

    @pytest.mark.parametrize(
        "more",
        [
            (("Authorization", "Bearer x"),),
            (("Authorization", "Bearer "),),
            (("Cookie", "__Host-auth_access=x"),),
            (("Cookie", "a=b; __Host-auth_access="),),
        ],
    )
    def test_two_tokens(self, gate: Face, fake: FakeIssuer, more: tuple[tuple[str, str], ...]) -> None:
        """A cookie beside a token in a header, or beside itself, is malformed."""
        assert isinstance(refusal(gate, asked("GET", kept(fake.token()), *more)), ag.MalformedCredentials)

    def test_the_token_of_a_header_that_is_remembered(self, gate: Face, fake: FakeIssuer) -> None:
        """Law 7.1: what memory knows of the token in the header does not hide the cookie beside it."""
        token = fake.token()
        for _ in range(3):
            gate.admit(asked("GET", bearer(token)), ag.is_user)

        assert isinstance(refusal(gate, asked("GET", bearer(token), kept(token))), ag.MalformedCredentials)

    def test_a_token_among_the_subprotocols(self, gate: Face, fake: FakeIssuer) -> None:
        """It is a second one as well."""
        view = asked(
            "GET",
            kept(fake.token()),
            HANDSHAKE,
            ("Origin", PAGE),
            subprotocols=(f"{SUBPROTOCOL}{fake.token()}",),
        )

        assert isinstance(refusal(gate, view), ag.MalformedCredentials)

    @pytest.mark.parametrize("token", ["", "a\x00b", "ä", "x" * 20_000, "a, __Host-auth_access=b"])
    def test_what_no_token_can_be(self, gate: Face, token: str) -> None:
        """Laws 2.2, 2.4: malformed."""
        assert isinstance(refusal(gate, asked("GET", kept(token))), ag.MalformedCredentials)

    def test_what_is_malformed_goes_first(self, gate: Face, fake: FakeIssuer) -> None:
        """Law 2.3: half a pair of project credentials is told before a forged request is, whatever the order."""
        view = asked("POST", kept(fake.token()), PROJECT[0])

        for policy in (ag.is_user | ag.is_project, ag.is_project | ag.is_user):
            assert isinstance(refusal(gate, view, policy), ag.MalformedCredentials)

    def test_another_branch_is_no_way_out(self, gate: Face, fake: FakeIssuer) -> None:
        """Law 2.3: every kind that is presented counts, so good project credentials do not outweigh it."""
        view = asked("POST", kept(fake.token()), *PROJECT)

        assert isinstance(refusal(gate, view, ag.is_user | ag.is_project), ag.CrossSiteRefused)

    def test_a_later_guard_of_the_request(self, gate: Face, fake: FakeIssuer) -> None:
        """Law 2.6: what one guard found is kept for the same credential, and the request is looked at anew."""
        memo, headers = Memo(), (kept(fake.token()),)
        gate.admit(asked("GET", *headers, memo=memo), ag.is_user)

        assert isinstance(refusal(gate, asked("POST", *headers, memo=memo)), ag.CrossSiteRefused)


class TestTold:
    def test_a_kind_that_the_policy_does_not_name(self, gate: Face, fake: FakeIssuer) -> None:
        """Law 2.3: to a policy about projects a cookie means nothing."""
        assert "shop" == gate.admit(asked("POST", kept(fake.token()), *PROJECT), ag.is_project).project.id

    def test_what_the_caller_is_told(self, gate: Face, fake: FakeIssuer) -> None:
        """403 and a code that a page can act on; no challenge, for another token would not help."""
        problem = gate.gate.problem(refusal(gate, asked("POST", kept(fake.token()))))

        assert (403, "cross_site") == (problem.status, problem.body["code"])
        assert "WWW-Authenticate" not in dict(problem.headers)

    def test_what_caches_are_told(self, make: Callable[..., Face]) -> None:
        """Law 1.7: the cookie is one of the headers that are read."""
        assert ("Authorization", "Cookie") == make().gate.headers_read(ag.is_user)
        assert ("X-App-Id", "X-App-Secret") == make().gate.headers_read(ag.is_project)
        assert ("Authorization",) == make(cookies=None).gate.headers_read(ag.is_user)


class TestSetUp:
    def test_nothing_counts_unless_configured(self, make: Callable[..., Face], fake: FakeIssuer) -> None:
        """Without ``cookies=`` a cookie is nothing, also beside a token in a header."""
        gate = make(cookies=None)

        assert isinstance(refusal(gate, asked("GET", kept(fake.token()))), ag.MissingCredentials)
        assert "u1" == gate.admit(asked("POST", kept("x"), bearer(fake.token("u1"))), ag.is_user).user.id

    @pytest.mark.parametrize(
        ("cookies", "said"),
        [
            ({"access": "session"}, "cookies: access: 'session' is not the name"),
            ({"origins": ("*",)}, r"cookies: origins: '\*' is not an origin"),
            (
                {"origins": ("https://*.shop.test",)},
                r"cookies: origins: 'https://\*.shop.test' is not an origin",
            ),
        ],
    )
    def test_what_is_wrong(self, make: Callable[..., Face], cookies: dict[str, Any], said: str) -> None:
        """Law 1.6: it is said when the gate is built."""
        with pytest.raises(ag.ConfigurationError, match=said):
            make(cookies=ag.Cookies(**cookies))

    @pytest.mark.parametrize("given", ["__Host-auth_access", True, {"access": "a"}])
    def test_what_is_no_such_value(self, make: Callable[..., Face], given: object) -> None:
        """The same where something else was given."""
        with pytest.raises(ag.ConfigurationError, match=r"cookies: give Cookies"):
            make(cookies=given)
