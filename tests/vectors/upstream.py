"""Public test vectors: how a case is read, and what authgate answers to it."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from authgate_core.clock import Instant
from authgate_core.errors import AuthgateError
from authgate_core.jose.claims import TokenRules
from authgate_core.jose.compact import Limits, parse_header, parse_object, split
from authgate_core.jose.keys import Key, KeySet, UnusableKeys, key_from_secret, read_key_set, reading
from authgate_core.jose.signature import fitting
from authgate_core.jose.verify import verify, verify_signature

__all__ = ["Answer", "Case", "answer", "load"]

_LIMITS: Final = Limits()


@dataclass(frozen=True, slots=True)
class Case:
    """One vector.

    Args:
        id: Its name.
        layer: ``jws`` for a signature over any payload, ``jwt_upstream`` for claims as well.
        expected: ``accept``, ``reject`` or ``either``.
        jwks: The keys.
        token: The token.
        config: The allow-list and the options of the library that it comes from.
        max_ms: How long the answer may take, in milliseconds.
    """

    id: str
    layer: str
    expected: str
    jwks: Mapping[str, Any]
    token: str
    config: Mapping[str, Any]
    max_ms: float


@dataclass(frozen=True, slots=True)
class Answer:
    """What authgate said: ``accept`` or ``reject``, why, and after how many milliseconds."""

    verdict: str
    reason: str
    took_ms: float


def load(path: Path) -> dict[str, Case]:
    """The cases of a file of one JSON object a line, by their ids."""
    fields = Case.__dataclass_fields__
    lines = path.read_text("utf-8").splitlines()
    cases = [Case(**{name: case[name] for name in fields}) for case in map(json.loads, lines)]
    return {case.id: case for case in cases}


def answer(case: Case) -> Answer:
    """Judge a case; any exception that is not authgate's own leaves and fails the test (Law 3.11)."""
    begun = time.perf_counter()
    try:
        _believe(case)
    except (AuthgateError, UnusableKeys) as error:
        verdict, reason = "reject", str(error)
    else:
        verdict, reason = "accept", ""
    return Answer(verdict, reason, (time.perf_counter() - begun) * 1000)


def _believe(case: Case) -> None:
    algorithms = frozenset(case.config["algorithms"])
    keys = _keys(case.jwks, algorithms)
    if case.layer == "jws":
        verify_signature(case.token, keys, algorithms)
        return
    parts = split(case.token, _LIMITS)
    header, claims = parse_header(parts.header, _LIMITS), parse_object(parts.payload, _LIMITS)
    rules = _rules(case.config, claims, algorithms)
    now = Instant(case.config["now"], 0.0)
    verify(parts, header, claims, keys.select(header.kid, header.alg), rules, now)


def _keys(jwks: Mapping[str, Any], algorithms: frozenset[str]) -> KeySet:
    """The keys as a gate would have them: shared secrets alone, or a document, which has none (Law 4.8)."""
    if any(jwk.get("kty") != "oct" for jwk in jwks["keys"]):
        return read_key_set(jwks, algorithms).keys
    secrets: list[Key] = []
    for jwk in jwks["keys"]:
        with suppress(UnusableKeys, reading._Skipped):
            usable = reading._usable(jwk, fitting("oct", None, algorithms))
            secrets.append(key_from_secret(_octets(jwk["k"]), usable, jwk.get("kid")))
    return KeySet(secrets)


def _octets(text: str) -> bytes:
    """The bytes of a JWK's ``k``, padded or not: how a secret is configured is not what is tested."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _rules(config: Mapping[str, Any], claims: Mapping[str, Any], algorithms: frozenset[str]) -> TokenRules:
    """The options of another library as rules.

    Where it does not check the issuer, the token's own is expected, and where it has several, the one that the token
    names: a gate looks an issuer up by ``iss`` (Law 3.5).
    """
    audience, issuers = config["audience"], config["issuer"]
    known = [issuers] if isinstance(issuers, str) else issuers or [claims.get("iss")]
    return TokenRules(
        issuer=claims["iss"] if claims.get("iss") in known and "iss" in claims else known[0],
        audience=None
        if audience is None
        else frozenset([audience] if isinstance(audience, str) else audience),
        algorithms=algorithms,
        leeway=config["leeway"],
        required_claims=tuple(config["require"]),
    )
