"""Attacks across the tenants of one issuer, each with keys of its own (Law 3.12)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from ...errors import BadSignature, UnknownKey
from ..mercury_mint import MercuryMint, MercuryProject
from ..shapes import ABSENT
from .attack import Attack, Forge

__all__ = ["across_tenants"]

_CLAIM: Final = "project_uuid"
_OTHER_KINDS: Final[tuple[object, ...]] = (
    *("refresh", "Access", "access_token", "Bearer"),
    *(None, ABSENT, ["access"]),
)


def across_tenants(mercury: MercuryMint, one: MercuryProject, other: MercuryProject) -> Iterator[Attack]:
    """User tokens of one project that pretend to be another's, or nobody's.

    Args:
        mercury: Both projects' Mercury.
        one: A project that is served.
        other: Another that is served, whose keys have the same names.
    """
    forge = _Project(mercury, one)
    for value in _spellings(one.uuid):
        yield forge.of_claims(f"is {value!a}", "3.12", {_CLAIM: value})
    stranger = mercury.add_project(kid=one.uuid)
    yield forge.of_claims("is one that is not served", "3.12", {_CLAIM: stranger.uuid}, about="tenant:")
    header, claims = forge.header(), forge.claims()
    twin = forge.signed(header, claims)
    token = forge.signed(header, {**claims, _CLAIM: other.uuid})
    yield forge.attack(
        "own key, the other's name", "3.12", token, BadSignature, "the signature of", twin=twin
    )
    nameless = forge.signed({**header, "kid": ABSENT}, {**claims, _CLAIM: other.uuid})
    reason = "no key of the issuer"
    yield forge.attack("the same without a kid", "3.12", nameless, UnknownKey, reason, twin=twin, asks=True)
    fallback = forge.signed(header, {**claims, _CLAIM: ABSENT})
    yield forge.attack("the name left out", "3.12", fallback, UnknownKey, reason, twin=twin, asks=True)
    yield from _kinds(forge, mercury)


def _spellings(uuid: str) -> tuple[object, ...]:
    letter = max(map(uuid.rfind, "abcdef"))
    return (
        *(
            uuid.upper(),
            f"{uuid[:letter]}{uuid[letter:].upper()}",
            f"{{{uuid}}}",
            f"urn:uuid:{uuid}",
            uuid.replace("-", ""),
            uuid.replace("-", "_"),
        ),
        *(
            f" {uuid}",
            f"{uuid} ",
            f"{uuid}\n",
            f"{uuid}\x00",
            f"{uuid}/",
            f"{uuid}/../x",
            f"../{uuid}",
            f"{uuid}?x=1",
        ),
        *(
            uuid[:-1],
            f"{uuid}0",
            f"\u0660{uuid[1:]}",
            f"{chr(ord(uuid[0]) + 0xFEE0)}{uuid[1:]}",
            "",
            "*",
            "null",
        ),
        *(None, True, 0, [], [uuid], {}, {"uuid": uuid}),
    )


def _kinds(forge: Forge, mercury: MercuryMint) -> Iterator[Attack]:
    """Tokens of Mercury that are not those of users, and users that are none."""
    for kind in _OTHER_KINDS:
        yield forge.of_claims(f"type is {kind!r}", "3.8", {"type": kind})
    for name in ("iat", "nbf"):
        yield forge.of_claims(f"no {name}", "3.7", {name: ABSENT})
    user: dict[str, Any] = mercury.user()
    for value in (user["uuid"], None, [user], {}, {**user, "uuid": None}, {**user, "uuid": ""}, {"id": "u1"}):
        yield forge.of_claims(
            f"sub is {type(value).__name__} {value!r}"[:40], "3.9", {"sub": value}, about="sub"
        )
    clash = {"email": "eve@example.com"}
    yield forge.of_claims("an email at odds with sub", "3.9", clash, {"email": user["email"]})
    yield forge.of_claims(
        "an email of another type", "3.9", {"email": [user["email"]]}, {"email": user["email"]}
    )


class _Project(Forge):
    """Makes the honest tokens of a project's users."""

    def __init__(self, mercury: MercuryMint, project: MercuryProject) -> None:
        super().__init__(mercury.keys(project), "tenant")
        self._user = mercury.user()

    def claims(self, **changes: object) -> dict[str, Any]:
        """As in ``Forge``, of a user as Mercury has them."""
        return {**super().claims(sub=self._user), **changes}
