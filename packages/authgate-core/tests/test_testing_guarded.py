"""``assert_all_routes_guarded``: what it lets pass; adapters have tests with real applications."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import authgate_core as ag
from authgate_core.routes import GuardedRoute, RouteGuard
from authgate_core.testing import assert_all_routes_guarded, guarded

OWN = (RouteGuard("own", ag.is_user),)
OPTIONAL = (RouteGuard("own", ag.is_user, optional=True),)

CLOSED = GuardedRoute("http", "/orders", ("GET",), OWN)
FORGOTTEN = GuardedRoute("http", "/orders", ("POST", "PUT"))
HEALTH = GuardedRoute("http", "/health", ("GET",), is_public=True)
FEED = GuardedRoute("http", "/feed", ("GET",), OPTIONAL)
TICKER = GuardedRoute("websocket", "/ticker")
VERSION = GuardedRoute("query", "Query.version")

Having = Callable[..., object]


@pytest.fixture
def having(monkeypatch: pytest.MonkeyPatch) -> Having:
    """Makes an application that has some routes."""

    def make(*routes: GuardedRoute) -> object:
        monkeypatch.setattr(guarded, "routes_of", lambda _: routes)
        return object()

    return make


class TestWithoutAList:
    """What says itself that it is public is believed."""

    def test_everything_was_decided(self, having: Having) -> None:
        """By a guard, an optional one too, or by a mark."""
        assert_all_routes_guarded(having(CLOSED, HEALTH, FEED))

    def test_something_was_forgotten(self, having: Having) -> None:
        """All of it is named, with what to do."""
        with pytest.raises(AssertionError) as found:
            assert_all_routes_guarded(having(CLOSED, FORGOTTEN, TICKER, VERSION))

        assert [
            "anybody may use POST, PUT /orders (UNGUARDED): guard it, or mark it as public",
            "anybody may use websocket /ticker (UNGUARDED): guard it, or mark it as public",
            "anybody may use query Query.version (UNGUARDED): guard it, or mark it as public",
        ] == str(found.value).splitlines()

    def test_an_application_without_routes(self, having: Having) -> None:
        """Is not the one that is served."""
        with pytest.raises(AssertionError, match="has no routes"):
            assert_all_routes_guarded(having())


class TestWithAList:
    """It is everything that anybody may use, and nothing else."""

    @pytest.mark.parametrize(
        "public",
        [
            {"/health", "/feed", "/ticker", "Query.version"},
            ["GET /health", "GET /feed", "websocket /ticker", "query Query.version"],
        ],
    )
    def test_everything_is_on_it(self, having: Having, public: list[str] | set[str]) -> None:
        """By path or field, with the method or kind or without."""
        assert_all_routes_guarded(having(CLOSED, HEALTH, FEED, TICKER, VERSION), public=public)

    def test_several_methods(self, having: Having) -> None:
        """Each must be on it."""
        assert_all_routes_guarded(having(FORGOTTEN), public={"POST /orders", "PUT /orders"})
        assert_all_routes_guarded(having(FORGOTTEN, CLOSED), public={"/orders"})
        with pytest.raises(AssertionError, match="anybody may use POST, PUT /orders"):
            assert_all_routes_guarded(having(FORGOTTEN), public={"POST /orders"})

    def test_a_mark_is_not_enough(self, having: Having) -> None:
        """Nor is an optional guard: the list shows who opened what."""
        with pytest.raises(AssertionError) as found:
            assert_all_routes_guarded(having(HEALTH, FEED), public=())

        assert [
            "anybody may use GET /health (public): guard it, or name it in public=",
            "anybody may use GET /feed (own (optional): is_user): guard it, or name it in public=",
        ] == str(found.value).splitlines()

    def test_what_is_on_it_without_need(self, having: Having) -> None:
        """Would hide the next oversight: what is guarded, and what is not there."""
        with pytest.raises(AssertionError) as found:
            assert_all_routes_guarded(having(CLOSED), public={"/orders", "/healthz"})

        assert [
            "public= names '/healthz', which is not there or is guarded: take it out",
            "public= names '/orders', which is not there or is guarded: take it out",
        ] == str(found.value).splitlines()

    def test_one_text_is_no_list(self, having: Having) -> None:
        """Says what to write."""
        with pytest.raises(TypeError, match=r"write public=\{'/health'\}"):
            assert_all_routes_guarded(having(HEALTH), public="/health")
