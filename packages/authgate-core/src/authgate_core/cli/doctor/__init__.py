"""What ``doctor`` looks at: a configuration, and everything that a gate of it will depend on."""

from __future__ import annotations

from collections.abc import Iterator

from ...clock import Clock, SystemClock
from ...config import GateConfig
from .bench import Bench
from .endpoints import look_at_endpoints
from .findings import Finding, ok
from .issuers import look_at_issuers
from .settings import look_at_gateway, look_at_proxy, look_at_settings, wrong_settings
from .stores import look_at_stores

__all__ = ["Finding", "examine", "wrong_settings"]


def examine(config: GateConfig, clock: Clock | None = None) -> Iterator[Finding]:
    """Look at everything, one finding after the other; what is wrong ends nothing but what rests on it.

    Args:
        config: What a gate is to be built from, in either colour.
        clock: What the issuers' clocks are compared with; the machine's by default.
    """
    problems = min((tuple(config.problems("sync")), tuple(config.problems("async"))), key=len)
    if problems:
        yield from wrong_settings(problems)
        return
    yield ok("configuration", f"{_counted(config)}: nothing is wrong that can be known without asking")
    yield from look_at_settings(config)
    with Bench.of(config, clock or SystemClock()) as bench:
        yield from look_at_issuers(bench)
        yield from look_at_endpoints(bench)
    yield from look_at_stores(config)
    yield from look_at_gateway(config)
    yield from look_at_proxy(config)


def _counted(config: GateConfig) -> str:
    names = [issuer.name for issuer in config.trusted_issuers]
    return f"issuers: {', '.join(names)}" if names else "no issuers"
