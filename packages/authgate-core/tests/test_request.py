"""Requests as values: headers with their duplicates, and nothing shown that a caller sent."""

from __future__ import annotations

from typing import Any

import pytest

from authgate_core.clock import Instant, SystemClock
from authgate_core.credentials import AppCredentials, BearerToken
from authgate_core.headers import header_pairs, values
from authgate_core.request import HttpReply, HttpRequest, Memo, RequestView
from authgate_core.secret import Secret

TOKEN = "eyJhbGciOiJub25lIn0.e30.c2ln"


class TestHeaders:
    def test_duplicates_are_kept_in_order(self) -> None:
        """Law 2.2: whether a header was repeated can be seen."""
        pairs = header_pairs([("X-App-Id", "1"), ("Accept", "*/*"), ("x-app-id", "2")])
        assert (("x-app-id", "1"), ("accept", "*/*"), ("x-app-id", "2")) == pairs
        assert ["1", "2"] == values(pairs, "x-app-id")
        assert [] == values(pairs, "authorization")

    def test_a_mapping_will_do_in_tests(self) -> None:
        """A dict is as good as its pairs."""
        assert (("accept", "*/*"),) == header_pairs({"Accept": "*/*"})

    def test_a_generator_is_read_once(self) -> None:
        """Adapters may hand headers over as they decode them."""
        view = RequestView("GET", "/", (pair for pair in [("Accept", "*/*")]))
        assert (("accept", "*/*"),) == view.headers == view.headers


class TestRequestView:
    def test_with_another_memo(self) -> None:
        """Everything else is as it was, unless other credentials are given."""
        view = RequestView(
            "PUT",
            "/a?b",
            {"Accept": "*/*"},
            peer="::1",
            tls_peer="cn",
            path_params={"n": 1},
            memo=Memo(),
            subprotocols=("chat",),
        )
        memo = Memo()
        same, other = view.with_memo(memo), view.with_memo(memo, headers=(("a", "b"),), subprotocols=())

        assert memo is same.memo is other.memo
        assert {"memo"} == {name for name in view.__slots__ if getattr(same, name) != getattr(view, name)}
        assert ((("a", "b"),), ()) == (other.headers, other.subprotocols)

    def test_repr_masks_values(self) -> None:
        """Law 2.5: neither header values nor the query, where tokens hide, are shown."""
        view = RequestView(
            "GET",
            f"/orders?access_token={TOKEN}",
            [("Authorization", f"Bearer {TOKEN}"), ("X-App-Secret", "s3cret")],
        )
        assert "RequestView('GET', '/orders', headers=['authorization', 'x-app-secret'])" == repr(view)

    def test_what_an_adapter_hands_over(self) -> None:
        """A view holds what was given, and defaults to nothing known."""
        memo = Memo()
        view = RequestView(
            "GET", "/", (), peer="127.0.0.1", tls_peer="CN=a", path_params={"id": 7}, memo=memo
        )
        assert ("127.0.0.1", "CN=a", 7, memo) == (view.peer, view.tls_peer, view.path_params["id"], view.memo)
        bare = RequestView("GET", "/", ())
        assert (None, None, {}, None) == (bare.peer, bare.tls_peer, dict(bare.path_params), bare.memo)

    def test_missing_path_parameters_cannot_be_filled_in(self) -> None:
        """The default is shared by all requests, so it is read-only."""
        with pytest.raises(TypeError):
            RequestView("GET", "/", ()).path_params["id"] = 7  # type: ignore[index]  # what must not work


class TestMemo:
    def test_the_same_credential_is_recalled(self) -> None:
        """Law 2.6: a request is authenticated at most once for each gate and kind."""
        memo = Memo()
        memo.remember(1, "bearer", BearerToken(Secret(TOKEN)), "outcome")
        assert "outcome" == memo.recall(1, "bearer", BearerToken(Secret(TOKEN)))

    @pytest.mark.parametrize(
        ("gate", "kind", "credential"),
        [
            (2, "bearer", BearerToken(Secret(TOKEN))),
            (1, "app", BearerToken(Secret(TOKEN))),
            (1, "bearer", BearerToken(Secret(TOKEN + "x"))),
            (1, "bearer", AppCredentials("a", Secret(TOKEN))),
        ],
    )
    def test_any_difference_authenticates_anew(self, gate: int, kind: str, credential: object) -> None:
        """Law 2.6: another gate, kind or credential finds nothing."""
        memo = Memo()
        memo.remember(1, "bearer", BearerToken(Secret(TOKEN)), "outcome")
        assert memo.recall(gate, kind, credential) is None

    def test_the_last_outcome_counts(self) -> None:
        """One entry for each gate and kind."""
        memo = Memo()
        memo.remember(1, "bearer", "first", "one")
        memo.remember(1, "bearer", "second", "two")
        assert (None, "two") == (memo.recall(1, "bearer", "first"), memo.recall(1, "bearer", "second"))

    def test_repr_tells_how_many_entries(self) -> None:
        """Law 2.5: a memo holds credentials and shows none."""
        memo = Memo()
        memo.remember(1, "bearer", BearerToken(Secret(TOKEN)), "outcome")
        assert "Memo(1 entries)" == repr(memo)


class TestOutgoing:
    def test_a_request_shows_neither_headers_nor_body(self) -> None:
        """Law 2.5: an outgoing request may carry our own credentials."""
        request = HttpRequest(
            "POST", "https://id.example.com", (("authorization", f"Basic {TOKEN}"),), TOKEN.encode()
        )
        assert "HttpRequest('POST', 'https://id.example.com')" == repr(request)
        assert not request.plain_http

    def test_a_reply_shows_its_size(self) -> None:
        """Nor is an answer's body shown."""
        assert "HttpReply(200, 28 bytes)" == repr(HttpReply(200, {}, TOKEN.encode()))


class TestTime:
    def test_an_instant_moves_on_both_clocks(self) -> None:
        """Wall and monotonic time go on together."""
        assert Instant(wall=103.5, mono=4.5) == Instant(wall=102.0, mono=3.0).plus(1.5)

    def test_the_system_clock_goes_forward(self) -> None:
        """Two looks at the machine's clocks are in order."""
        clock = SystemClock()
        first, second = clock.now(), clock.now()
        assert first.mono <= second.mono
        assert first.wall > 1_700_000_000


class TestHeaderNames:
    """Names are text."""

    def test_bytes_are_refused(self) -> None:
        """As bytes a name would match nothing, and an optional guard would take the caller for nobody."""
        headers: Any = [(b"Authorization", "Bearer x")]
        with pytest.raises(TypeError):
            RequestView("GET", "/", headers)
