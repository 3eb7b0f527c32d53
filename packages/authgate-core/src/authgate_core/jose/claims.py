"""What a token must say, apart from its signature (Laws 3.2, 3.5 to 3.8, 3.15)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from ..clock import Instant
from ..errors import AlgorithmRefused, InvalidClaim, TokenExpired
from ..principal import is_plain_name
from ..secret import fingerprint
from .compact import Header, Json
from .signature import is_allowed

__all__ = ["TokenRules", "check_claims", "check_header"]

_LATEST: Final = 253402300799  # 9999-12-31T23:59:59Z
_AT_JWT: Final = frozenset({"at+jwt", "application/at+jwt"})
_HEADER_TYPES: Final = _AT_JWT | {"jwt"}
_RFC_9068: Final = ("iss", "exp", "aud", "sub", "client_id", "iat", "jti")
_KIND_CLAIMS: Final = ("typ", "type", "token_type", "token_use")
_ACCESS_KINDS: Final = frozenset({"access", "access_token", "at+jwt", "bearer"})
_BOUND: Final = "dpop"
_ABSENT: Final = object()
_SHA_256: Final = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)
_NOT_AHEAD: Final = ("nbf", "iat", "auth_time")
_FOREIGN_CLAIMS: Final = ("at_hash", "c_hash", "s_hash", "events")
_FOREIGN: Final = frozenset(_FOREIGN_CLAIMS) | {"cnf"}


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRules:
    """What an issuer's tokens must be.

    Args:
        issuer: The exact ``iss``; None matches only a token without one (Law 3.5).
        audience: Of which ``aud`` must name one; None is any (Law 3.6).
        algorithms: The allow-list (Law 3.2).
        leeway: Tolerated clock difference, in seconds (Law 3.7).
        max_lifetime: The longest time from ``iat`` to ``exp``, in seconds; it makes ``iat`` required.
        require_iat: Whether ``iat`` is required, for a revocation source that judges by age.
        plain_jti: Whether a ``jti`` is required that can stand in the keys of a store of others (Law 5.9).
        require_at_jwt: Whether RFC 9068 is kept in full: header ``typ`` and required claims.
        required_claims: Claims that must be present and not null.
        authorized_parties: Accepted values of ``azp``, or of ``client_id`` where there is no ``azp``.
        token_types: Values of ``typ``, ``type``, ``token_type`` and ``token_use`` besides the standard ones.
        fixed_claims: Claims with the one text that each must be.
        confirmations: The members of ``cnf`` that are checked by whoever calls; no other is accepted (Law 3.15).
        require_confirmation: Whether one of them is required.
        shapes: Sets of such claims of which one must hold as a whole; none asks for nothing.
        require_kid: Whether the header must name the key (Law 3.4).
        audience_hint: What logs say besides of a token for other APIs.
    """

    issuer: str | None
    audience: frozenset[str] | None
    algorithms: frozenset[str]
    leeway: float = 30.0
    max_lifetime: float | None = None
    require_iat: bool = False
    plain_jti: bool = False
    require_at_jwt: bool = False
    required_claims: tuple[str, ...] = ()
    authorized_parties: frozenset[str] | None = None
    token_types: frozenset[str] = frozenset()
    fixed_claims: tuple[tuple[str, str], ...] = ()
    confirmations: frozenset[str] = frozenset()
    require_confirmation: bool = False
    shapes: tuple[tuple[tuple[str, str], ...], ...] = ()
    require_kid: bool = False
    audience_hint: str = ""


def check_header(header: Header, rules: TokenRules) -> None:
    """Refuse by the header alone, before keys are looked for.

    Raises:
        AlgorithmRefused: If ``alg`` is not on the allow-list (Law 3.2).
        InvalidClaim: If ``typ`` is not that of an access token (Law 3.8), or ``kid`` is missing where it must not.
    """
    if not is_allowed(header.alg, rules.algorithms):
        allowed = ", ".join(sorted(rules.algorithms))
        raise AlgorithmRefused(f"the header's alg {_hidden(header.alg)} is not one of: {allowed}")
    if rules.require_kid and header.kid is None:
        raise InvalidClaim("kid header", "is missing")
    typ = header.typ
    if rules.require_at_jwt:
        if typ is None or typ.lower() not in _AT_JWT:
            raise InvalidClaim("typ header", "is not at+jwt (RFC 9068 section 2.1)")
    elif typ is not None and typ.lower() not in _HEADER_TYPES:
        raise InvalidClaim("typ header", f"{_hidden(typ)} is neither at+jwt nor JWT")


def check_claims(claims: Mapping[str, Any], rules: TokenRules, now: Instant) -> float:
    """Refuse by the claims of a token whose signature is good; "expired" is said last.

    Returns:
        The latest of those moments that must not lie ahead, in Unix seconds; 0 where they have none.

    Raises:
        InvalidClaim: If a claim is missing, of the wrong type, or not what the rules ask for.
        TokenExpired: If ``exp`` is all that is wrong.
    """
    # Few functions, because this runs for every token (docs/adr/0021).
    if claims.get("iss") != rules.issuer or (rules.issuer is None and "iss" in claims):
        raise _wrong_issuer(claims, rules.issuer)
    if "aud" in claims:
        _check_audience(claims["aud"], rules.audience, rules.audience_hint)
    elif rules.audience is not None:
        raise InvalidClaim("aud", f"is missing{rules.audience_hint}")
    _check_kind(claims, rules)
    if rules.authorized_parties is not None:
        _check_parties(claims, rules.authorized_parties)
    if rules.require_at_jwt or rules.required_claims or rules.fixed_claims or rules.shapes:
        _check_required(claims, rules)
    jti = claims.get("jti")
    if not (isinstance(jti, str) and jti) and "jti" in claims:  # it names the token (Law 5.9)
        raise InvalidClaim("jti", "is not a non-empty string")
    if rules.plain_jti and not is_plain_name(jti):
        raise InvalidClaim("jti", "is missing, or nothing that the revocation source could list it under")
    return _check_times(claims, rules, now.wall)


def _wrong_issuer(claims: Mapping[str, Any], issuer: str | None) -> InvalidClaim:
    iss = _shown(claims.get("iss"))
    return InvalidClaim(
        "iss", f"is {iss}, and none is expected" if issuer is None else f"is {iss}, not {issuer!r}"
    )


def _check_audience(aud: Json, audience: frozenset[str] | None, hint: str) -> None:
    names = aud if isinstance(aud, list) else [aud]
    for name in names:
        if not isinstance(name, str):
            raise InvalidClaim("aud", "is neither a string nor a list of strings")
    if audience is not None and audience.isdisjoint(names):
        raise InvalidClaim("aud", f"is {_shown(aud)}, which names none of {sorted(audience)}{hint}")


def _check_kind(claims: Mapping[str, Any], rules: TokenRules) -> None:
    """Law 3.8: an ID, refresh, logout or action token is not an access token."""
    for name in _KIND_CLAIMS:
        if name in claims:
            kind = claims[name]
            if isinstance(kind, str) and kind.lower() == _BOUND and rules.confirmations and "cnf" in claims:
                continue  # RFC 9449 section 6.2: what introspection says of a token that is bound to a key
            if not isinstance(kind, str) or not (kind.lower() in _ACCESS_KINDS or kind in rules.token_types):
                raise InvalidClaim(name, "is not that of an access token")
    if claims.keys().isdisjoint(_FOREIGN):
        if rules.require_confirmation:
            raise InvalidClaim("cnf", "is missing")
        return
    for name in _FOREIGN_CLAIMS:
        if name in claims:
            raise InvalidClaim(name, "belongs to another kind of token")
    _check_confirmation(claims["cnf"], rules.confirmations)


def _check_confirmation(cnf: Json, confirmations: frozenset[str]) -> None:
    """Law 3.15: what binds the token in a way that nobody checks would bind it to nothing."""
    if not isinstance(cnf, dict) or not cnf or not confirmations.issuperset(cnf):
        raise InvalidClaim("cnf", "binds the token to a key that is not checked here")
    for name, value in cnf.items():
        if not isinstance(value, str) or not _SHA_256.fullmatch(value):
            raise InvalidClaim("cnf", f"holds no {name} that is a SHA-256 in base64url")


def _check_parties(claims: Mapping[str, Any], parties: frozenset[str]) -> None:
    party = claims["azp"] if "azp" in claims else claims.get("client_id")
    if not isinstance(party, str) or party not in parties:
        azp = _shown(claims.get("azp"))
        raise InvalidClaim("azp", f"is {azp}; it, or without it client_id, must be one of {sorted(parties)}")


def _check_required(claims: Mapping[str, Any], rules: TokenRules) -> None:
    required = (*_RFC_9068, *rules.required_claims) if rules.require_at_jwt else rules.required_claims
    for name in required:
        if claims.get(name) is None:
            raise InvalidClaim(name, "is missing")
    for name, expected in rules.fixed_claims:
        if claims.get(name) != expected:
            raise InvalidClaim(name, f"is not {expected!r}")
    shapes = rules.shapes
    if shapes and not any(all(claims.get(name) == text for name, text in shape) for shape in shapes):
        raise InvalidClaim(shapes[0][0][0], "does not go with the other claims of any token of this issuer")


def _check_times(claims: Mapping[str, Any], rules: TokenRules, now: float) -> float:
    """Law 3.7, with ``now`` in Unix seconds; returns the latest moment of those that must not lie ahead."""
    latest, start = min(now + rules.leeway, _LATEST), 0.0
    for name in _NOT_AHEAD:
        moment = claims.get(name, _ABSENT)
        if moment is _ABSENT:
            continue
        if moment.__class__ is int and start <= moment <= latest:  # as nearly every one is
            start = moment
        elif (moment := _date(claims, name)) > latest:
            raise InvalidClaim(name, f"is {moment}, {moment - now:.0f} s ahead of this machine's clock")
        else:
            start = max(start, moment)
    exp: Any = claims.get("exp")
    if exp.__class__ is not int or not 0 <= exp <= _LATEST:
        exp = _date(claims, "exp")
    if rules.max_lifetime is not None and (lifetime := exp - _date(claims, "iat")) > rules.max_lifetime:
        raise InvalidClaim("exp", f"is {lifetime:.0f} s after iat, more than {rules.max_lifetime:.0f}")
    if rules.require_iat and "iat" not in claims:
        raise InvalidClaim("iat", "is missing")
    if now >= exp + rules.leeway:
        raise TokenExpired(f"expired {now - exp:.0f} s ago, with a leeway of {rules.leeway:.0f} s")
    return start


def _date(claims: Mapping[str, Any], name: str) -> float:
    """A NumericDate (RFC 7519 section 2): a number from 1970 to the end of the year 9999; true is none."""
    if name not in claims:
        raise InvalidClaim(name, "is missing")
    value = claims[name]
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= _LATEST:
        raise InvalidClaim(name, "is not a number of seconds since 1970")
    return value


def _hidden(text: str) -> str:
    """What may be said of an unverified value (Law 1.2)."""
    return f"({len(text)} characters, sha256 {fingerprint(text)})"


def _shown(value: object) -> str:
    """A verified value, fit for a log line (Law 1.2)."""
    return "missing" if value is None else ascii(value)[:64]
