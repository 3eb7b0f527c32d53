"""A token that is remembered, over the verification of its signature; and with threads, over one thread.

``hit``: ``Gate.verify_token``. ``admit_hit``: the whole of ``Gate.admit``, from the headers of a request to the
decision of a policy that asks for a scope. Revocation, in memory, is checked each time.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Final

import authgate_core as ag

from .issued import READS, Issued, by_turns, show
from .peers import raw
from .rounds import Work, ratio, ratios

THREADS: Final = 4


def measured() -> dict[str, float]:
    """Every key, with what was measured."""
    issued = Issued.by("RS256")
    hits = by_turns(issued.tokens, issued.gate().verify_token)
    over_raw = {"hit_over_raw": hits, "admit_hit_over_raw": _admitted(issued)}
    found = ratios(raw(issued), over_raw)
    with ThreadPoolExecutor(THREADS) as pool:
        return {
            **{name: 1 / ratio for name, ratio in found.items()},
            "hit_4_threads_over_1": ratio(_spread(hits, pool), hits, time.perf_counter),
        }


def _admitted(issued: Issued) -> Work:
    gate = issued.gate()
    requests = [issued.headers(number) for number in range(len(issued.tokens))]

    def admit(headers: list[tuple[str, str]]) -> ag.Admission:
        return gate.admit(ag.RequestView("GET", "/orders/7?expand=lines", headers), READS)

    assert admit(requests[0]).user.has_role("supplier")
    return by_turns(requests, admit)


def _spread(work: Work, pool: ThreadPoolExecutor) -> Work:
    """The same number of times, by several threads at once."""

    def spread(times: int) -> None:
        share = -(-times // THREADS)
        done, _ = wait([pool.submit(work, share) for _ in range(THREADS)])
        for each in done:
            each.result()

    return spread


if __name__ == "__main__":
    show(measured())
