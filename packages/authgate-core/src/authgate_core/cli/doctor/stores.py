"""The Redis servers of a configuration: reached, quick, permitted, and keeping what they are given."""

from __future__ import annotations

from collections.abc import Iterator

from ...api_keys import RedisKeys
from ...config import GateConfig
from ...replays import RedisReplays
from ...revocation import MemoryRevocation, RedisRevocation
from .findings import Finding, failed, ok, warning

__all__ = ["look_at_stores"]


def look_at_stores(config: GateConfig) -> Iterator[Finding]:
    """Each store that has a server behind it; what is a port of the application's own is left to it."""
    for source in config.sources:
        if isinstance(source, RedisRevocation):
            yield from _revocation(source)
        elif not isinstance(source, MemoryRevocation):
            yield ok("revocation", f"{type(source).__name__} is your own, and was not asked")
    if isinstance(config.replays, RedisReplays):
        yield from _plain("replays", config.replays, config.replays.prefix, config.replays.client_or_url)
    keys = None if config.api_keys is None else config.api_keys.store
    if isinstance(keys, RedisKeys):
        yield from _plain("API keys", keys, keys.namespace, keys.client_or_url)


def _revocation(source: RedisRevocation) -> Iterator[Finding]:
    from ...io.redis.examining import examine, feed_probes, read_probes, write_probes

    check = "revocation" if source.source == "redis" else f"revocation, {source.owner}'s"
    if source.problems("sync"):
        yield _unasked(check)
        return
    prefix = source.prefix
    probes = (*read_probes(prefix), *write_probes(prefix), *(feed_probes(prefix) if source.feed else ()))
    if source.is_foreign:
        probes = _FOREIGN[source.layout]
    exam = examine(source.client_or_url, probes, prefix)
    yield _answer(check, exam.error, exam.seconds)
    if exam.error is not None:
        return
    yield _policy(check, exam.policy)
    yield from _permissions(check, source, exam.refused, is_begun=exam.epoch)


_FOREIGN = {
    "mercury": (
        ("EXISTS", "revoked_token:authgate-doctor"),
        ("GET", "project_secret_version:authgate-doctor"),
    ),
    "m8": (("EXISTS", "jwt:blacklist:authgate-doctor"),),
}


def _plain(check: str, spec: RedisReplays | RedisKeys, prefix: str, server: object) -> Iterator[Finding]:
    from ...io.redis.examining import examine, read_probes, write_probes

    if spec.problems("sync"):
        yield _unasked(check)
        return
    exam = examine(server, (read_probes(prefix)[0], write_probes(prefix)[0]), prefix)
    yield _answer(check, exam.error, exam.seconds)
    if exam.error is not None:
        return
    yield _policy(check, exam.policy)
    if exam.refused:
        yield failed(check, f"its user may not run {_named(exam.refused)}", _grant(prefix, exam.refused))


def _answer(check: str, error: str | None, seconds: float) -> Finding:
    from ...io.redis.examining import REPLY_LIMIT

    if error is not None:
        is_login = "Authentication" in error or "WRONGPASS" in error or "NOAUTH" in error
        fix = "compare user and password in its URL with the server's" if is_login else _REACH
        return failed(check, error, fix)
    took = f"answers in {seconds * 1000:.1f} ms"
    if seconds >= REPLY_LIMIT:
        text = f"{took}, later than the {REPLY_LIMIT * 1000:.0f} ms that a request waits: it gets 503"
        return failed(check, text, "bring the server nearer, or find out what keeps it busy (SLOWLOG GET)")
    if seconds >= REPLY_LIMIT / 5:
        return warning(
            check, f"{took}, which every request waits for", "bring the server nearer, or follow its feed"
        )
    return ok(check, took)


_REACH = "see that it runs at that address, and that this machine reaches it"


def _policy(check: str, policy: str | None) -> Finding:
    """Law 5.10: what is dropped for want of memory is no longer revoked."""
    if policy == "noeviction":
        return ok(check, "maxmemory-policy is noeviction")
    if policy is None:
        return warning(
            check,
            "maxmemory-policy is not told to its user",
            "grant +info, or see yourself that it is noeviction",
        )
    text = f"maxmemory-policy is {policy}: entries may be dropped for want of memory"
    return warning(
        check, text, "set it to noeviction: CONFIG SET maxmemory-policy noeviction, and in its configuration"
    )


def _permissions(
    check: str, source: RedisRevocation, refused: frozenset[str], *, is_begun: bool
) -> Iterator[Finding]:
    writing = refused & {"SET", "EVAL"}
    reading = refused - writing
    if reading:
        yield failed(check, f"its user may not run {_named(reading)}", _grant(source.prefix, reading))
    elif source.is_foreign:
        yield ok(check, "its user may read what is asked")
    elif writing and not is_begun:
        text = "nobody has begun to keep revocations there, and its user may not: every request gets 503"
        yield failed(check, text, "have a gate that may write ask first, or revoke something from there")
    elif writing:
        text = f"its user may check and not revoke (no {_named(writing)})"
        yield warning(check, text, f"revoke elsewhere; if it is to be here: {_grant(source.prefix, writing)}")
    else:
        yield ok(check, "its user may check and revoke")


def _unasked(check: str) -> Finding:
    return ok(check, "an asyncio client, which this command cannot ask; give the URL to have it looked at")


def _named(commands: frozenset[str]) -> str:
    return ", ".join(sorted(commands))


def _grant(prefix: str, commands: frozenset[str]) -> str:
    wanted = " ".join(f"+{command.lower()}" for command in sorted(commands))
    return f"ACL SETUSER ... ~{prefix}:* {wanted}"
