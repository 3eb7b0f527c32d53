"""The pages about gateways: each snippet builds a gate, and admits whom the page says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import authgate_core as ag
from authgate_core.clock import SystemClock
from tests.support.gateways import SERVICE, USER, Signer, stamped

PAGES = Path(__file__).parents[2] / "docs" / "how-to"
PEER = "10.20.0.7"


def blocks(page: str) -> list[str]:
    """The Python of a page, in order, without the indentation of a list."""
    found = re.findall(r"^( *)```python\n(.*?)^ *```", (PAGES / page).read_text(), re.DOTALL | re.MULTILINE)
    return [re.sub(rf"^{indent}", "", code, flags=re.MULTILINE) for indent, code in found]


def config_of(page: str, number: int) -> ag.GateConfig:
    """What a page's snippet makes, after those before it were run."""
    names: dict[str, Any] = {}
    for code in blocks(page)[: number + 1]:
        exec(compile(code, page, "exec"), names)
    config: ag.GateConfig = names["config"]
    return config


def request(headers: dict[str, str], **options: Any) -> ag.RequestView:
    """A request that came through the gateway."""
    return ag.RequestView("GET", "/orders", headers, **{"peer": PEER, "body": bytes, **options})


class TestKong:
    def test_a_network_is_enough(self) -> None:
        """The first snippet."""
        with ag.Gate(config_of("behind-kong.md", 0)) as gate:
            assert "u1" == gate.admit(request(USER), ag.is_user).user.id
            with pytest.raises(ag.UntrustedGateway):
                gate.admit(request(USER, peer="10.20.1.7"), ag.is_user)

    def test_a_key_has_signatures_asked_for(self) -> None:
        """The second; it also says that the server drops underscores."""
        key = "a random key of 32 bytes or more"
        signed = stamped(USER, "GET", "/orders", SystemClock().now().wall, key)
        with ag.Gate(config_of("behind-kong.md", 1)) as gate:
            assert "u1" == gate.admit(request(signed, folds_names=True), ag.is_user).user.id
            with pytest.raises(ag.GatewaySignatureRefused):
                gate.admit(request(USER), ag.is_user)

    def test_consumers_are_what_is_said(self) -> None:
        """The third."""
        with ag.Gate(config_of("behind-kong.md", 2)) as gate:
            assert "c1" == gate.admit(request({"X-Consumer-ID": "c1"}), ag.is_service).service.id

    def test_the_environment_says_the_same(self) -> None:
        """The variables of the page, with a key in the place of the dots."""
        (block,) = re.findall(r"```sh\n(.*?)```", (PAGES / "behind-kong.md").read_text(), re.DOTALL)
        variables = dict(line.split("=", 1) for line in block.splitlines())
        variables["INTERNAL_HMAC_KEY"] = key = "a random key of 32 bytes or more"
        signed = stamped(SERVICE, "GET", "/orders", SystemClock().now().wall, key)

        with ag.Gate(ag.GateConfig.from_mapping(variables)) as gate:
            assert "billing" == gate.admit(request(signed, folds_names=True), ag.is_service).service.id


class TestSigned:
    def test_what_the_page_asks_for_is_admitted(self) -> None:
        """From anywhere, by a signature that covers what it names; nonces in this process, as Redis is not here."""
        gateway = config_of("behind-envoy-or-nginx.md", 0).gateway
        signer = Signer(b"a random key, of thirty-two bytes or more", keyid="edge-2026-11")
        with ag.Gate(ag.GateConfig(gateway=gateway)) as gate:
            assert gate.admit(request(signer.sign(USER, "GET", "/orders"), peer=None), ag.is_user)

    @pytest.mark.parametrize("number", range(3))
    def test_every_snippet_is_a_configuration(self, number: int) -> None:
        """Nothing is wrong with any."""
        config = config_of("behind-envoy-or-nginx.md", number)

        assert [] == list(config.problems("sync"))
        assert config.gateway is not None
