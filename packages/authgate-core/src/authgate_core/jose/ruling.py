"""Each rule for a token by itself: what is expected, what is there, and whether that is enough.

Nothing here decides anything, and nothing here knows a rule: each is put to the very functions that decide, with all
other rules taken away. What is written as ``actual`` may be unverified; it is for whoever holds the token, and for no
log (Law 1.2).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final, Literal, TypeAlias

from ..clock import Instant
from ..errors import InvalidToken
from .claims import TokenRules, check_claims, check_header
from .compact import Header

__all__ = ["Rule", "Verdict", "claim_rules", "header_rules", "judged", "shown"]

Verdict: TypeAlias = Literal["kept", "broken", "open"]

_LONGEST: Final = 64
_KIND: Final = ("typ", "type", "token_type", "token_use", "at_hash", "c_hash", "s_hash", "events")
_RFC_9068: Final = ("iss", "exp", "aud", "sub", "client_id", "iat", "jti")
_A_DIGEST: Final = "A" * 43
_LATEST: Final = 253402300799  # 9999-12-31T23:59:59Z, as Law 3.7 has it


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule for a token, and what became of it.

    Args:
        name: What it is about.
        verdict: ``kept``, ``broken``, or ``open`` where that cannot be told.
        expected: What the configuration asks for.
        actual: What the token has; fit to be shown, but perhaps not verified.
        reason: Why it is broken or open.
        code: Of a broken rule the stable code of the refusal.
    """

    name: str
    verdict: Verdict
    expected: str
    actual: str
    reason: str = ""
    code: str = ""


def judged(name: str, expected: str, actual: str, check: Callable[[], object]) -> Rule:
    """A rule that is kept unless its check refuses the token."""
    try:
        check()
    except InvalidToken as error:
        return Rule(name, "broken", expected, actual, error.reason, error.code)
    return Rule(name, "kept", expected, actual)


def shown(members: Mapping[str, Any], name: str) -> str:
    """A member of an object, fit for a terminal: printable ASCII, cut at 64 characters."""
    if name not in members:
        return "missing"
    text = ascii(members[name])
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def header_rules(header: Header, rules: TokenRules) -> Iterator[Rule]:
    """The rules of Laws 3.2, 3.4 and 3.8 for a header, in the order in which they are asked."""
    named = {name: value for name in ("alg", "kid", "typ") if (value := getattr(header, name)) is not None}
    allowed = f"one of {', '.join(sorted(rules.algorithms))}"
    plain = replace(rules, require_kid=False, require_at_jwt=False)
    yield judged("alg", allowed, shown(named, "alg"), lambda: check_header(Header(header.alg), plain))
    alg = min(rules.algorithms, default="")
    if rules.require_kid:
        bare = replace(rules, require_at_jwt=False)
        check = Header(alg, header.kid)
        yield judged("kid", "the name of a key", shown(named, "kid"), lambda: check_header(check, bare))
    kinds = "at+jwt" if rules.require_at_jwt else "at+jwt, JWT or none"
    typed = Header(alg, header.kid or "-", header.typ)
    yield judged("typ", kinds, shown(named, "typ"), lambda: check_header(typed, rules))


def claim_rules(claims: Mapping[str, Any], rules: TokenRules, now: Instant) -> Iterator[Rule]:
    """The rules of Laws 3.5 to 3.8 and 3.15 for claims, in the order in which they are asked.

    Args:
        claims: Those of the token, verified or not.
        rules: The issuer's.
        now: The moment to judge times by.
    """
    bench = _Bench(claims, rules, now)
    yield bench.rule("iss", "none" if rules.issuer is None else ascii(rules.issuer))
    audience = None if rules.audience is None else frozenset(rules.audience)
    yield bench.rule("aud", "anything" if audience is None else _one_of(audience), audience=audience)
    yield bench.kind()
    if rules.confirmations or "cnf" in claims:
        yield bench.confirmation()
    if rules.authorized_parties is not None:
        parties = rules.authorized_parties
        yield bench.rule("azp", _one_of(parties), "client_id", authorized_parties=parties)
    yield from bench.required()
    plain = rules.plain_jti
    yield bench.rule("jti", "a plain name" if plain else "a text, or none", plain_jti=plain)
    yield from bench.times()


@dataclass(frozen=True, slots=True)
class _Bench:
    """Puts claims to one rule at a time.

    Args:
        claims: Those of the token.
        rules: All of them.
        now: The present moment.
    """

    claims: Mapping[str, Any]
    rules: TokenRules
    now: Instant

    def rule(self, name: str, expected: str, *beside: str, **asked: Any) -> Rule:
        """One rule about a claim; Any because each field of ``TokenRules`` has a type of its own.

        Args:
            name: The claim.
            expected: What is expected of it.
            beside: Further claims that the rule looks at.
            asked: The rule, as ``TokenRules`` has it.
        """
        actual = ", ".join(self._shown(one, bool(beside)) for one in (name, *beside))
        return judged(name, expected, actual, lambda: self._check((name, *beside), self.now, **asked))

    def kind(self) -> Rule:
        """Law 3.8; whether the proof that a token asks for is checked here is the next rule's affair."""
        there = [name for name in _KIND if name in self.claims]
        actual = ", ".join(self._shown(name, named=True) for name in there) or "says nothing of it"
        bound = {"cnf": dict.fromkeys(self.rules.confirmations, _A_DIGEST)}
        more = bound if "cnf" in self.claims and self.rules.confirmations else {}
        asked = {"token_types": self.rules.token_types, "confirmations": self.rules.confirmations}
        return judged(
            "kind", "an access token", actual, lambda: self._check(_KIND, self.now, more=more, **asked)
        )

    def confirmation(self) -> Rule:
        """Law 3.15."""
        ways, required = self.rules.confirmations, self.rules.require_confirmation
        expected = f"{_one_of(ways)}{'' if required else ', or none'}" if ways else "none"
        return self.rule("cnf", expected, confirmations=ways, require_confirmation=required)

    def required(self) -> Iterator[Rule]:
        """Claims that have to be there, or to be what they are."""
        rules = self.rules
        names = (*_RFC_9068, *rules.required_claims) if rules.require_at_jwt else rules.required_claims
        for name in dict.fromkeys(names):
            yield self._presence(name)
        for name, text in rules.fixed_claims:
            yield self.rule(name, ascii(text), fixed_claims=((name, text),))
        if rules.shapes:
            first, *others = dict.fromkeys(name for shape in rules.shapes for name, _ in shape)
            shapes = " or ".join(", ".join(f"{name}={text!r}" for name, text in one) for one in rules.shapes)
            yield self.rule(first, shapes, *others, shapes=rules.shapes)

    def _presence(self, name: str) -> Rule:
        """Dates and kinds that are there have good values here: what is wrong with theirs is said by other rules."""
        dates, kinds = dict.fromkeys(("nbf", "iat", "auth_time"), 0), dict.fromkeys(_KIND[:4], "access")
        good = self._least(self.now) | dates | kinds
        more = {name: good[name]} if name in good and self.claims.get(name) is not None else {}
        asked = {"required_claims": (name,), "confirmations": self.rules.confirmations}
        actual = shown(self.claims, name)
        return judged(
            name, "there, and not null", actual, lambda: self._check((name,), self.now, more=more, **asked)
        )

    def times(self) -> Iterator[Rule]:
        """Law 3.7."""
        rules, wall = self.rules, self.now.wall
        ahead = f"no later than {_date(wall + rules.leeway)}"
        for name in ("nbf", "iat", "auth_time"):
            needed = name == "iat" and rules.require_iat
            expected = ahead if needed else f"{ahead}, or none"
            yield replace(self.rule(name, expected, require_iat=needed), actual=self._moment(name))
        if rules.max_lifetime is not None:
            yield self._lifetime(rules.max_lifetime)
        check = self.rule("exp", f"later than {_date(wall - rules.leeway)}")
        yield replace(check, actual=self._moment("exp"))

    def _lifetime(self, most: float) -> Rule:
        """Judged at the moment of issue, so that it says nothing of the age of the token."""
        iat: object = self.claims.get("iat")
        at = (
            Instant(float(iat), self.now.mono)
            if _is_date(iat) and isinstance(iat, (int, float))
            else self.now
        )
        return judged(
            "lifetime",
            f"at most {most:g} s from iat to exp",
            f"iat {shown(self.claims, 'iat')}, exp {shown(self.claims, 'exp')}",
            lambda: self._check(("iat", "exp"), at, max_lifetime=most),
        )

    def _check(
        self, names: tuple[str, ...], now: Instant, *, more: Mapping[str, Any] | None = None, **asked: Any
    ) -> None:
        """Put some of the claims to ``check_claims``, beside the least that makes a good token."""
        rules = self.rules
        base = {name: value for name, value in self._least(now).items() if name not in names}
        looked_at = {name: self.claims[name] for name in names if name in self.claims}
        plain: dict[str, Any] = {"audience": None, "leeway": rules.leeway, **asked}
        alone = TokenRules(issuer=rules.issuer, algorithms=rules.algorithms, **plain)
        check_claims({**base, **looked_at, **(more or {})}, alone, now)

    def _least(self, now: Instant) -> dict[str, Any]:
        """The claims without which no token is good; Any because they are JSON."""
        ends = {"exp": min(now.wall + 1.0, float(_LATEST))}
        return ends if self.rules.issuer is None else {**ends, "iss": self.rules.issuer}

    def _shown(self, name: str, named: bool) -> str:  # noqa: FBT001 - of this module alone
        text = shown(self.claims, name)
        return f"{name} {text}" if named else text

    def _moment(self, name: str) -> str:
        value: object = self.claims.get(name)
        if not _is_date(value) or not isinstance(value, (int, float)):
            return shown(self.claims, name)
        away = value - self.now.wall
        return f"{_date(value)}, {abs(away):.0f} s {'ahead' if away > 0 else 'ago'}"


def _is_date(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= _LATEST


def _date(seconds: float) -> str:
    moment = datetime.fromtimestamp(max(0.0, min(seconds, float(_LATEST))), UTC)
    return f"{moment:%Y-%m-%d %H:%M:%S}Z"


def _one_of(names: frozenset[str]) -> str:
    return " or ".join(map(ascii, sorted(names)))
