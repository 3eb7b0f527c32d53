"""Tokens in cookies (Law 2.9): how they are read, and what shows that a request comes from one's own pages."""

from __future__ import annotations

from typing import Any

import pytest

from authgate_core.cookies import Cookies, cookie_values
from authgate_core.headers import HeaderPairs, header_pairs

PAGES = ("https://app.example.com", "http://localhost:3000")
COOKIES = Cookies(origins=PAGES)
CSRF = "__Host-auth_csrf"


def pairs(*headers: tuple[str, str]) -> HeaderPairs:
    """Headers as a gate has them."""
    return header_pairs(headers)


class TestReading:
    @pytest.mark.parametrize(
        "line", ["a=1", "x=0; a=1", "a=1; x=0", "x=0;a=1;y", "\ta = 1\t; x=a=2", 'x="a=2"; a=1', ";; a=1 ;"]
    )
    def test_a_cookie_among_others(self, line: str) -> None:
        """RFC 6265 section 5.4: pairs stand between semicolons, and the first equals sign ends a name."""
        assert ["1"] == cookie_values(pairs(("Cookie", line)), "a")

    @pytest.mark.parametrize("line", ["", "A=1", "aa=1", "x=a=1", "a", "x=0,a=1", "__Host-a=1"])
    def test_what_is_no_such_cookie(self, line: str) -> None:
        """Names are compared as they are, and nothing inside a value is a cookie."""
        assert [] == cookie_values(pairs(("Cookie", line)), "a")

    def test_several_headers(self) -> None:
        """RFC 9113 section 8.2.3: cookies may come in several headers, and each is seen."""
        assert ["1", "2", "3"] == cookie_values(
            pairs(("Cookie", "a=1; a=2"), ("X", "a=9"), ("cookie", "a=3")), "a"
        )

    def test_an_empty_one(self) -> None:
        """It is there, with nothing in it."""
        assert [""] == cookie_values(pairs(("Cookie", "a=")), "a")

    def test_the_token(self) -> None:
        """It stands in the cookie that is configured."""
        headers = pairs(("Cookie", "__Host-auth_access=t1; __Host-session=t2"))

        assert (["t1"], ["t2"]) == (COOKIES.tokens(headers), Cookies(access="__Host-session").tokens(headers))


class TestChanging:
    """Law 2.9: a request whose method is not safe repeats the CSRF value."""

    @pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "CONNECT", "get", "PURGE", ""])
    def test_with_it(self, method: str) -> None:
        """It comes from a page that could read the cookie, whatever its Origin."""
        headers = pairs(("Cookie", f"{CSRF}=c1"), ("X-CSRF-Token", "c1"))

        assert COOKIES.foreign(method, headers) is None

    @pytest.mark.parametrize(
        "headers",
        [
            (),
            (("Cookie", f"{CSRF}=c1"),),
            (("X-CSRF-Token", "c1"),),
            (("Cookie", f"{CSRF}=c1"), ("X-CSRF-Token", "c2")),
            (("Cookie", f"{CSRF}=c1"), ("X-CSRF-Token", "C1")),
            (("Cookie", f"{CSRF}="), ("X-CSRF-Token", "")),
            (("Cookie", f"{CSRF}=c1; {CSRF}=c1"), ("X-CSRF-Token", "c1")),
            (("Cookie", f"{CSRF}=c1; {CSRF}=c2"), ("X-CSRF-Token", "c1")),
            (("Cookie", f"{CSRF}=c1"), ("X-CSRF-Token", "c1"), ("X-CSRF-Token", "c1")),
            (("Cookie", f"{CSRF}=c1"), ("X-CSRF-Token", "c1, c1")),
            (("Cookie", "auth_csrf=c1"), ("X-CSRF-Token", "c1")),
            (("Origin", PAGES[0]),),
            (("Cookie", f"{CSRF}=\ud800"), ("X-CSRF-Token", "\udfff")),
        ],
    )
    @pytest.mark.parametrize("method", ["POST", "DELETE", "get"])
    def test_without_it(self, method: str, headers: tuple[tuple[str, str], ...]) -> None:
        """Missing, empty, repeated or another: it may come from anywhere, and a listed Origin is no excuse."""
        found = COOKIES.foreign(method, pairs(*headers))

        assert found is not None
        assert "CSRF" in found

    def test_by_other_names(self) -> None:
        """Cookie and header are those that are configured."""
        cookies = Cookies(csrf="__Host-c", csrf_header="X-XSRF")
        own = pairs(("Cookie", "__Host-c=c1"), ("X-Xsrf", "c1"))

        assert cookies.foreign("POST", own) is None
        assert COOKIES.foreign("POST", own) is not None


class TestReadingByOtherSites:
    """A handshake, and whatever an adapter says another site could use, has an Origin that is listed."""

    @pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "TRACE"])
    def test_a_plain_request(self, method: str) -> None:
        """It changes nothing, and browsers let no other site read its answer."""
        assert COOKIES.foreign(method, ()) is None

    @pytest.mark.parametrize("origin", PAGES)
    def test_a_handshake_of_our_own_pages(self, origin: str) -> None:
        """Its Origin is one of those that are listed."""
        assert COOKIES.foreign("GET", pairs(("Sec-WebSocket-Version", "13"), ("Origin", origin))) is None

    @pytest.mark.parametrize(
        "origins",
        [
            (),
            ("null",),
            ("",),
            ("https://evil.example",),
            ("https://app.example.com.evil.example",),
            ("https://app.example.com/",),
            ("https://APP.example.com",),
            ("http://app.example.com",),
            ("https://app.example.com:8443",),
            (PAGES[0], PAGES[0]),
            (f"{PAGES[0]}, {PAGES[0]}",),
        ],
    )
    @pytest.mark.parametrize("is_handshake", [True, False])
    def test_of_others(self, origins: tuple[str, ...], is_handshake: bool) -> None:
        """Any other Origin, none, or two are those of another site."""
        version = (("Sec-WebSocket-Version", "13"),) if is_handshake else ()
        headers = pairs(*version, *(("Origin", origin) for origin in origins))

        found = COOKIES.foreign("GET", headers, reads=not is_handshake)

        assert found is not None
        assert "Origin" in found

    def test_nobody_is_listed(self) -> None:
        """Then no page may."""
        assert Cookies().foreign("GET", pairs(("Origin", PAGES[0])), reads=True) is not None


class TestSetUp:
    def test_as_it_comes(self) -> None:
        """The names are those of the auth service."""
        assert [] == list(Cookies().problems()) == list(COOKIES.problems())
        assert PAGES == Cookies(origins=list(PAGES)).origins  # type: ignore[arg-type]  # as settings have it

    @pytest.mark.parametrize(
        ("options", "setting"),
        [
            ({"access": "session"}, "access"),
            ({"access": "__Secure-session"}, "access"),
            ({"access": "__Host-a=b"}, "access"),
            ({"access": None}, "access"),
            ({"csrf": "csrf"}, "csrf"),
            ({"csrf": "__Host-auth_access"}, "csrf"),
            ({"csrf_header": "X CSRF"}, "csrf_header"),
            ({"csrf_header": ""}, "csrf_header"),
            ({"csrf_header": None}, "csrf_header"),
            ({"origins": "https://app.example.com"}, "origins"),
            ({"origins": ["https://app.example.com/"]}, "origins"),
            ({"origins": ["https://App.example.com"]}, "origins"),
            ({"origins": ["https://app.example.com:443"]}, "origins"),
            ({"origins": ["http://app.example.com:80"]}, "origins"),
            ({"origins": ["https://app.example.com:port"]}, "origins"),
            ({"origins": ["https://u@app.example.com"]}, "origins"),
            ({"origins": ["app.example.com"]}, "origins"),
            ({"origins": ["https://bücher.example"]}, "origins"),
            ({"origins": ["https://"]}, "origins"),
            ({"origins": ["null"]}, "origins"),
            ({"origins": ["*"]}, "origins"),
            ({"origins": [None]}, "origins"),
        ],
    )
    def test_what_is_wrong(self, options: dict[str, Any], setting: str) -> None:
        """Law 1.6: it is named, with what to write instead."""
        assert [setting] == [problem.partition(":")[0] for problem in Cookies(**options).problems()]

    @pytest.mark.parametrize("origin", ["https://a.b:8443", "http://[::1]:3000", "http://127.0.0.1:8000"])
    def test_origins_with_a_port(self, origin: str) -> None:
        """They are written as browsers write them."""
        assert [] == list(Cookies(origins=(origin,)).problems())
