"""Discovery, key sets and clocks of the issuers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final
from urllib.parse import urlsplit

from ...effects import RingName
from ...flows.trust import TrustedIssuer
from ...issuer import NoKeys, TenantKeys
from ...keyring import KeySetHealth
from .bench import Bench, Exchange
from .findings import Finding, failed, ok, warning

__all__ = ["look_at_issuers"]

_MOST_TENANTS: Final = 5
"""Of how many tenants the keys are fetched."""
_PATIENCE: Final = 30.0
"""Seconds for one key set; the limits of each request end it long before."""
_FAR: Final = 5.0
"""From how many seconds on a difference of clocks is worth a word."""


def look_at_issuers(bench: Bench) -> Iterator[Finding]:
    """Fetch the keys of each issuer as a gate does, and compare the clocks with what the answers say."""
    for trusted in bench.issuers:
        for name in _rings(trusted):
            yield from _look(bench, name, trusted.rules.leeway)
        if isinstance(trusted.issuer.trust, TenantKeys) and callable(trusted.issuer.tenants):
            text = "which tenants are served is said by a function; none of their key sets was fetched"
            yield ok(f"keys of {trusted.issuer.name}", text)
    for projects in bench.projects.values():
        yield from _look(bench, projects.ring.name, projects.rules.leeway)


def _rings(trusted: TrustedIssuer) -> tuple[RingName, ...]:
    name, tenants = trusted.issuer.name, trusted.issuer.tenants
    if isinstance(trusted.issuer.trust, NoKeys):
        return ()
    if not isinstance(trusted.issuer.trust, TenantKeys):
        return (RingName(name),)
    listed = sorted(tenants) if isinstance(tenants, frozenset) else ()
    return tuple(RingName(name, tenant) for tenant in listed[:_MOST_TENANTS])


def _look(bench: Bench, name: RingName, leeway: float) -> Iterator[Finding]:
    """One key set; sets are fetched one by one, so that what was asked meanwhile belongs to it."""
    before, told = len(bench.http.seen), len(bench.told)
    outcome = bench.refresher.start(name)
    if outcome is not None:
        outcome.result(_PATIENCE)
    exchanges = bench.http.seen[before:]
    health = bench.refresher.rings[name].health(bench.clock.now())
    check = f"keys of {name.issuer}{'' if name.tenant is None else f', tenant {name.tenant}'}"
    yield _keys(check, health, exchanges)
    for notice in bench.told[told:]:
        if notice.code == "keys_document":
            yield warning(
                check, notice.text, "have the issuer publish a key that can be used, or leave it out"
            )
    yield from _pace(check, exchanges, bench.config.key_wait)
    yield from _clock(f"clock of {name.issuer}", exchanges, leeway)


def _keys(check: str, health: KeySetHealth, exchanges: Sequence[Exchange]) -> Finding:
    if health.status == "static":
        return ok(check, f"{health.keys} of the configuration")
    if health.status == "fresh" and exchanges:
        return ok(check, f"{health.keys} from {_host(exchanges[-1])} in {_milliseconds(exchanges)}")
    reason = health.last_error or "they were not fetched"
    return failed(check, reason, _fix(reason, exchanges))


def _fix(reason: str, exchanges: Sequence[Exchange]) -> str:
    """What mends a key set that cannot be fetched, by how far it got."""
    last = exchanges[-1] if exchanges else None
    if last is None or last.reply is None:
        return (
            "see that the URL is right and that this machine reaches it; where only a proxy does, write "
            "proxy= in GateConfig"
        )
    asks_discovery = len(exchanges) == 1 and last.url.endswith("/.well-known/openid-configuration")
    if last.reply.status in {404, 410} and asks_discovery:
        return "write the issuer's URL as its iss has it; for an issuer without discovery, give jwks_url"
    if last.reply.status in {404, 410} and len(exchanges) == 1:
        return f"see that the URL which is configured is right: nothing is at {last.url}"
    if last.reply.status != 200:
        return f"ask whoever runs {_host(last)} why it answers {last.reply.status}"
    if "of issuer" in reason:
        return "write the issuer's URL just as the document and iss have it, byte for byte"
    if asks_discovery:
        return "see that this URL is the issuer's own, and no page or proxy answers in its place"
    return "have the issuer publish a key for one of algorithms=, or allow an algorithm of the keys it has"


def _pace(check: str, exchanges: Sequence[Exchange], key_wait: float) -> Iterator[Finding]:
    slow = sum(exchange.seconds for exchange in exchanges)
    if exchanges and exchanges[-1].reply is not None and slow > key_wait:
        yield warning(
            check,
            f"took {slow:.1f} s, and a request waits {key_wait:g} s for keys while there are none: it gets 503",
            "call warm_up() before the first request, or raise key_wait=",
        )


def _clock(check: str, exchanges: Sequence[Exchange], leeway: float) -> Iterator[Finding]:
    """Law 3.7: beyond the leeway new tokens are refused as made in the future, or as expired."""
    known = [exchange.skew for exchange in exchanges if exchange.skew is not None]
    if not known:
        return
    ahead, exactly = min(known, key=lambda skew: skew[1])
    away = max(0.0, abs(ahead) - exactly)
    text = (
        f"{away:.0f} s {'ahead of' if ahead > 0 else 'behind'} this machine's, and the leeway is {leeway:g} s"
    )
    fix = "set both clocks by NTP: this machine's first, then the issuer's"
    if away > leeway:
        yield failed(check, text, fix)
    elif away > _FAR:
        yield warning(check, text, fix)
    else:
        yield ok(check, f"agrees with this machine's, give or take {max(exactly, away):.1f} s")


def _host(exchange: Exchange) -> str:
    return urlsplit(exchange.url).netloc.rpartition("@")[2]


def _milliseconds(exchanges: Sequence[Exchange]) -> str:
    return f"{sum(exchange.seconds for exchange in exchanges) * 1000:.0f} ms"
