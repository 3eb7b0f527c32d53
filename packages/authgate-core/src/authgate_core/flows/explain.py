"""Why a token is accepted or not: every rule, judged by itself, without the token being sent to anyone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from ..clock import Instant
from ..effects import Flow
from ..errors import AuthgateError, AuthUnavailable, InvalidToken
from ..jose.balancer import check_balancer
from ..jose.compact import Header, Parts, may_be_signed, parse_header, split_object
from ..jose.keys import Key
from ..jose.ruling import Rule, claim_rules, header_rules, shown
from ..jose.verify import check_signature, verify
from ..principal import Service, User
from ..secret import Secret
from .keys import Door, find_keys, find_newer_keys
from .revoked import check_revoked
from .token import issuer_of
from .trust import Trust, TrustedIssuer

__all__ = ["Explanation", "explain_token"]

_UNSENT: Final = "only the issuer can say, and an explanation sends the token nowhere"
_REFUSED_BEFORE: Final = "the token is refused before"


@dataclass(frozen=True, slots=True)
class Explanation:
    """Every rule for one token, in the order in which a gate asks them.

    Args:
        rules: Each with what is expected and what is there.
        issuer: The configured name of the issuer whose rules they are; None where none was found.
        principal: Whom the token speaks of, where it is good as far as could be told.
    """

    rules: tuple[Rule, ...]
    issuer: str | None = None
    principal: User | Service | None = None

    @property
    def verdict(self) -> Literal["accepted", "refused", "open"]:
        """What the rules come to together; ``open`` where some could not be judged and none is broken."""
        verdicts = {rule.verdict for rule in self.rules}
        return "refused" if "broken" in verdicts else "open" if "open" in verdicts else "accepted"

    @property
    def code(self) -> str | None:
        """The code with which a gate refuses the token, that of the first broken rule; None where none is."""
        return next((rule.code for rule in self.rules if rule.verdict == "broken"), None)


def explain_token(token: Secret, trust: Trust, now: Instant) -> Flow[Explanation]:
    """Judge a token by every rule; keys are fetched and revocation is looked up where a gate would do so.

    Args:
        token: The token, without a scheme.
        trust: What tokens are verified with.
        now: The present moment.
    """
    text = token.reveal()
    if trust.opaque is not None and not may_be_signed(text):
        return Explanation(
            (_open("form", "known to its issuer", "no JWT", _UNSENT),), trust.opaque.issuer.name
        )
    expected = f"three segments, JSON in them, at most {trust.limits.token} characters"
    actual = f"{len(text)} characters, {text.count('.') + 1} segments"
    try:
        parts, claims = split_object(text, trust.limits)
    except InvalidToken as error:
        return Explanation((_broken("form", expected, actual, error),))
    opened = _Opened(parts, claims, trust, now)
    return (yield from opened.explain(Rule("form", "kept", expected, actual)))


@dataclass(frozen=True, slots=True)
class _Opened:
    """A token that was taken apart; nothing of it is believed.

    Args:
        parts: The token.
        claims: What was read from its payload.
        trust: What tokens are verified with.
        now: The present moment.
    """

    parts: Parts
    claims: dict[str, Any]
    trust: Trust
    now: Instant

    def explain(self, form: Rule) -> Flow[Explanation]:
        """The whole story, in the order in which a gate tells it."""
        rules, named = [form], None
        if self.trust.balancer is not None:
            named, rule = self._balancer()
            rules.append(rule)
        trusted, rule = self._issuer()
        rules.append(rule)
        if trusted is None:
            return Explanation(tuple(rules))
        if trusted.asks_about_jwts:
            # What counts is what the issuer answers: what the token says itself may be something else.
            rules.append(_open("introspection", "active, says the issuer", "not asked", _UNSENT))
            return Explanation(tuple(rules), trusted.issuer.name)
        door, found = self._door(trusted, named)
        rules += found
        header, found = self._header(trusted)
        rules += found
        keys, found = yield from self._keys(header, door)
        rules += found
        rules += claim_rules(self.claims, trusted.rules, self.now)
        principal, found = yield from self._person(trusted, header, keys, rules)
        rules += found
        return Explanation(tuple(rules), trusted.issuer.name, principal)

    def _balancer(self) -> tuple[str | None, Rule]:
        expected = "a signer and a client that are configured"
        rules = self.trust.balancer
        try:
            named = (
                None
                if rules is None
                else check_balancer(self.parts.header, self.claims, rules, self.trust.limits)
            )
        except InvalidToken as error:
            return None, _broken("balancer", expected, "another header", error)
        return named, Rule("balancer", "kept", expected, "they are")

    def _issuer(self) -> tuple[TrustedIssuer | None, Rule]:
        """The issuer that the token names; where there is but one, the others rules are judged as its own anyhow."""
        known = self.trust.issuers
        expected = (
            " or ".join("none" if iss is None else ascii(iss) for iss in known) or "no issuer is configured"
        )
        actual = shown(self.claims, "iss")
        try:
            return issuer_of(self.claims, self.trust), Rule("issuer", "kept", expected, actual)
        except InvalidToken as error:
            only = next(iter(known.values())) if len(known) == 1 else None
            return only, _broken("issuer", expected, actual, error)

    def _door(self, trusted: TrustedIssuer, named: str | None) -> tuple[Door | None, list[Rule]]:
        issuer = trusted.issuer
        if named is not None:
            return trusted.door(named), []
        if self.trust.balancer is not None:
            return None, []
        if not issuer.has_tenants:
            return trusted.door(None), []
        path = issuer.mapping.tenant
        expected, actual = "one that is served here", f"as {path} says"
        try:
            tenant = issuer.tenant(self.claims)
            door = trusted.door(tenant)
        except InvalidToken as error:
            return None, [_broken("tenant", expected, actual, error)]
        actual = ascii(tenant)
        if not trusted.serves(tenant, self.now):
            return None, [Rule("tenant", "broken", expected, actual, "is not served here", "token_claim")]
        return door, [Rule("tenant", "kept", expected, actual)]

    def _header(self, trusted: TrustedIssuer) -> tuple[Header | None, list[Rule]]:
        limit = self.trust.limits.header
        expected, actual = f"at most {limit} characters, no crit", f"{len(self.parts.header)} characters"
        try:
            header = parse_header(self.parts.header, self.trust.limits)
        except InvalidToken as error:
            return None, [_broken("header", expected, actual, error)]
        return header, [
            Rule("header", "kept", expected, actual),
            *header_rules(header, trusted.rules),
        ]

    def _keys(self, header: Header | None, door: Door | None) -> Flow[tuple[Sequence[Key], list[Rule]]]:
        if header is None or door is None:
            return (), [_open("key", "one that verifies the token", "not looked for", _REFUSED_BEFORE)]
        name = door.current().name
        whose = name.issuer if name.tenant is None else f"{name.issuer}, tenant {name.tenant}"
        expected = f"a key of {whose}"
        actual = f"kid {ascii(header.kid)[:64]}"
        try:
            keys = yield from find_keys(header, door, self.now)
        except InvalidToken as error:
            return (), [_broken("key", expected, actual, error)]
        except AuthUnavailable as outage:
            return (), [_open("key", expected, actual, outage.reason)]
        found = Rule("key", "kept", expected, actual)
        good, signature = yield from self._signature(header, door, keys)
        return good, [found, signature]

    def _signature(self, header: Header, door: Door, keys: Sequence[Key]) -> Flow[tuple[Sequence[Key], Rule]]:
        expected, actual = "verifies with that key", f"{len(self.parts.signature)} bytes"
        try:
            try:
                check_signature(self.parts, header, keys)
            except InvalidToken:
                if header.kid is not None:
                    raise
                keys = yield from find_newer_keys(header, door, tuple(keys), self.now)
                check_signature(self.parts, header, keys)
        except InvalidToken as error:
            return (), _broken("signature", expected, actual, error)
        except AuthUnavailable as outage:
            return (), _open("signature", expected, actual, outage.reason)
        return keys, Rule("signature", "kept", expected, actual)

    def _person(
        self, trusted: TrustedIssuer, header: Header | None, keys: Sequence[Key], before: Sequence[Rule]
    ) -> Flow[tuple[User | Service | None, list[Rule]]]:
        """Whom the token speaks of, and what else stands between them and the gate."""
        expected = "an id, and roles and scopes that can be read"
        if header is None or not keys or any(rule.verdict != "kept" for rule in before):
            return None, [_open("principal", expected, "not read", _REFUSED_BEFORE)]
        try:
            verified = verify(self.parts, header, self.claims, keys, trusted.rules, self.now)
            principal, ref = trusted.issuer.identify(verified, self.trust.expand)
        except InvalidToken as error:
            return None, [_broken("principal", expected, "not to be had of these claims", error)]
        except AuthUnavailable as outage:
            return None, [_open("principal", expected, "not read", outage.reason)]
        rules = [Rule("principal", "kept", expected, f"{type(principal).__name__} {principal.id!a}")]
        try:
            revoked = yield from check_revoked(ref, self.trust.known)
        except AuthUnavailable as outage:
            rules.append(_open("revocation", "not revoked", "not known", outage.reason))
        else:
            rules.append(_revocation(revoked=revoked))
        rules += _further(trusted, principal, verified.claims)
        return principal, rules


def _further(trusted: TrustedIssuer, principal: User | Service, claims: Mapping[str, Any]) -> Iterator[Rule]:
    """What a gate asks besides."""
    if trusted.issuer.mapping.active is not None:
        active = trusted.issuer.is_active(claims)
        yield (
            Rule("active", "kept", "not false", "true")
            if active
            else Rule(
                "active",
                "broken",
                "not false",
                "false",
                "the issuer says that the user is not active",
                "user_inactive",
            )
        )
    if trusted.sessions is not None and isinstance(principal, User):
        yield _open("session", "it goes on, says the issuer", "not asked", _UNSENT)
    if "cnf" in claims:
        needs = "the request has to show that its sender holds the key"
        yield _open("proof", "shown by each request", "no request", needs)


def _revocation(*, revoked: bool) -> Rule:
    kept = Rule("revocation", "kept", "not revoked", "no entry")
    why = "the token, or what it belongs to, was revoked"
    return (
        replace(kept, verdict="broken", actual="revoked", reason=why, code="token_revoked")
        if revoked
        else kept
    )


def _broken(name: str, expected: str, actual: str, error: AuthgateError) -> Rule:
    return Rule(name, "broken", expected, actual, error.reason, error.code)


def _open(name: str, expected: str, actual: str, reason: str) -> Rule:
    return Rule(name, "open", expected, actual, reason)
