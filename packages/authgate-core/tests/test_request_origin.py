"""Where a request comes from, and what a browser only asks (Laws 1.11, 10.3)."""

from __future__ import annotations

import pytest

from authgate_core.request import RequestView

ASKS = (("Origin", "https://a.test"), ("Access-Control-Request-Method", "PUT"))


class TestPreflight:
    def test_what_browsers_send(self) -> None:
        """OPTIONS with both headers."""
        assert RequestView("OPTIONS", "/", ASKS).is_preflight

    @pytest.mark.parametrize(
        ("method", "headers"),
        [("OPTIONS", ASKS[:1]), ("OPTIONS", ASKS[1:]), ("PUT", ASKS), ("options", ASKS)],
    )
    def test_what_is_none(self, method: str, headers: tuple[tuple[str, str], ...]) -> None:
        """Anything less is a request like others, and so is a method that is written otherwise (RFC 9110, 9.1)."""
        assert not RequestView(method, "/", headers).is_preflight


class TestLocal:
    @pytest.mark.parametrize("peer", ["127.0.0.1", "127.8.8.8", "::1"])
    def test_this_machine(self, peer: str) -> None:
        """Loopback is this machine."""
        assert RequestView("GET", "/", (), peer=peer).is_local

    @pytest.mark.parametrize("peer", [None, "", "10.0.0.1", "localhost.evil.test", "/run/app.sock"])
    def test_anything_else(self, peer: str | None) -> None:
        """What is not known to be loopback is not."""
        assert not RequestView("GET", "/", (), peer=peer).is_local

    @pytest.mark.parametrize("name", ["Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP"])
    def test_through_a_proxy_on_this_machine(self, name: str) -> None:
        """Who speaks through a proxy may be anywhere, whatever the header says."""
        assert not RequestView("GET", "/", ((name, "127.0.0.1"),), peer="127.0.0.1").is_local
