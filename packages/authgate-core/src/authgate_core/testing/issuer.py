"""A real issuer for tests, demos and examples, which can be made to misbehave."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from ..clock import Clock
from .granting import TOKEN_PATH, TokenDesk
from .hostile import HostileTokens
from .introspection import INTROSPECTION_PATH, IntrospectionDesk
from .served import Served
from .server import Answer, Asked
from .shapes import encode_json
from .tokens import TokenMint

if TYPE_CHECKING:
    from .attacks import Attack

__all__ = ["DISCOVERY_PATH", "INTROSPECTION_PATH", "JWKS_PATH", "TOKEN_PATH", "FakeIssuer"]

DISCOVERY_PATH: Final = "/.well-known/openid-configuration"
JWKS_PATH: Final = "/jwks"

_NOWHERE: Final = "https://issuer.test"


class FakeIssuer(Served, TokenMint):  # pyright: ignore[reportUnsafeMultipleInheritance] - it initialises both
    """An OpenID provider as far as an API sees one: real keys, real tokens, real HTTP.

    It is served on 127.0.0.1 while used as a context manager, or between ``start`` and ``stop``; tokens and
    ``jwks()`` work without that. One that was stopped and is started again has the same address::

        with FakeIssuer(audience="orders-api") as issuer:
            gate = Gate(GateConfig(issuers=[Issuer.oidc(issuer.url, audience=issuer.audience)]))
            gate.verify_token(issuer.token("u1", scope="orders:read"))

    Args:
        audience: The ``aud`` of its tokens.
        algorithm: What the first key signs with: RS, PS or ES 256 to 512, or EdDSA.
        url: The ``iss`` of its tokens; by default the address at which it is served, or ``https://issuer.test``
            where it never was.
        clock: What ``iat`` and ``exp`` are counted from; the machine's by default.

    Attributes:
        audience: The ``aud`` of its tokens.
        desk: Its introspection endpoint: who may ask, and about which tokens.
        grants: Its token endpoint, for the same clients.
    """

    def __init__(
        self,
        *,
        audience: str = "test-api",
        algorithm: str = "RS256",
        url: str | None = None,
        clock: Clock | None = None,
    ) -> None:
        Served.__init__(self)
        TokenMint.__init__(self, url or _NOWHERE, audience=audience, algorithm=algorithm, clock=clock)
        self._is_named_by_address = url is None
        self._max_age: int | None = None
        self.desk = IntrospectionDesk(self._clock)
        self.grants = TokenDesk(self.desk)

    @property
    def url(self) -> str:
        """The issuer, as in ``iss``."""
        return self._address if self._address is not None and self._is_named_by_address else self._url

    @property
    def jwks_url(self) -> str:
        """Where the key set is."""
        return f"{self._address or self._url}{JWKS_PATH}"

    @property
    def discovery_url(self) -> str:
        """Where the discovery document is."""
        return f"{self._address or self._url}{DISCOVERY_PATH}"

    @property
    def introspection_url(self) -> str:
        """Where its tokens are asked about."""
        return f"{self._address or self._url}{INTROSPECTION_PATH}"

    @property
    def token_url(self) -> str:
        """Where tokens are asked for."""
        return f"{self._address or self._url}{TOKEN_PATH}"

    def opaque_token(self, sub: object = "u1", *, expires_in: float = 300, **claims: object) -> str:
        """A token that only its introspection endpoint can read; the claims are as in ``token``."""
        plain = {**self.claims(sub, expires_in=expires_in), "token_type": "Bearer"}
        return self.desk.issue({**plain, **claims})

    @property
    def hostile(self) -> HostileTokens:
        """Tokens that no gate may accept."""
        return HostileTokens(self)

    def attacks(self, other: TokenMint | None = None) -> tuple[Attack, ...]:
        """Hostile tokens to parametrise a test over, of every class that is known to have fooled a verifier.

        A gate that trusts the issuer with default options refuses each, now and later. They are made anew at each
        call, in the same order and under the same names::

            @pytest.mark.parametrize("attack", ISSUER.attacks(), ids=str)
            def test_hostile_token(client, attack):
                assert_denied(client.get("/orders", headers={"Authorization": f"Bearer {attack.token}"}))

        Args:
            other: Another issuer that the same gate trusts, whose name and keys are then tried as well.
        """
        from .attacks import attacks

        return tuple(attack for attack in attacks(self, other) if attack.lasts)

    def empty_keys(self) -> None:
        """Publish a valid key set that has no keys."""
        self.answer(b'{"keys":[]}', paths=[JWKS_PATH])

    def max_age(self, seconds: int | None) -> None:
        """Send ``Cache-Control: max-age`` with the documents; with None, as at first, no such header."""
        self._max_age = seconds

    def _truth(self, asked: Asked) -> Answer:
        if asked.path == INTROSPECTION_PATH:
            return self.desk.answer(asked, self.url, self._signed)
        if asked.path == TOKEN_PATH:
            return self.grants.answer(asked, self)
        document = self._documents().get(asked.path)
        if document is None:
            return Answer(b"", status=404, content_type="text/plain")
        cache = () if self._max_age is None else (("Cache-Control", f"max-age={self._max_age}"),)
        return Answer(json.dumps(document).encode(), headers=cache)

    def _signed(self, typ: str, claims: Mapping[str, object]) -> str:
        return self.raw_token(encode_json({**self.header(), "typ": typ}), encode_json(claims))

    def _documents(self) -> Mapping[str, object]:
        discovery = {
            "issuer": self.url,
            "jwks_uri": self.jwks_url,
            "introspection_endpoint": self.introspection_url,
            "token_endpoint": self.token_url,
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": sorted({self.key(kid).algorithm for kid in self.kids}),
        }
        return {DISCOVERY_PATH: discovery, JWKS_PATH: self.jwks()}
