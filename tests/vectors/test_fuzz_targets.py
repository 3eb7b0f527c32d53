"""What is fuzzed holds over its seeds and over changed ones, and a target notices when a promise is broken."""

from __future__ import annotations

import base64
import json
import logging
import random
from collections.abc import Iterator
from functools import cache
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import fuzz.targets.addresses
import fuzz.targets.claims
import fuzz.targets.compact
import fuzz.targets.discovery
import fuzz.targets.feed_replies
import fuzz.targets.gate
import fuzz.targets.headers
import fuzz.targets.json_object
import fuzz.targets.key_set
import fuzz.targets.key_text
import fuzz.targets.marks
import fuzz.targets.mercury
import fuzz.targets.projects
import fuzz.targets.redis_replies
from authgate_core.credentials import BearerToken
from authgate_core.flows import keys, remote
from authgate_core.io.redis import protocol
from authgate_core.jose import claims, compact
from authgate_core.jose.keys import Key, reading
from authgate_core.projects import static
from authgate_core.revocation import Replica
from authgate_core.secret import Secret
from fuzz.target import NAMES, load

PIECES = st.one_of(
    st.binary(max_size=6),
    st.sampled_from(
        [b'"', b"\\", b",", b"{", b"[", b".", b"\n", b"\x00", b"\xff", b"=", b":", b"null", b"1e999"]
    ),
)
EDITS = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 8), PIECES), min_size=1, max_size=3)
UNHURRIED = settings(max_examples=60, deadline=None)


def edited(seed: bytes, edits: list[tuple[float, int, bytes]]) -> bytes:
    """The seed with some bytes replaced, left out or put in."""
    for where, length, piece in edits:
        at = int(where * len(seed))
        seed = seed[:at] + piece + seed[at + length :]
    return seed


@cache
def seeds_of(name: str) -> list[bytes]:
    """The seeds of a target, made once."""
    return list(load(name).seeds())


@pytest.fixture(scope="module", autouse=True)
def quiet() -> Iterator[None]:
    """What is logged of inputs that are no text is nothing that a report of tests could hold."""
    logging.disable()
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("name", NAMES)
class TestTargets:
    def test_every_seed(self, name: str) -> None:
        """Law 3.11: every hostile input that anybody thought of."""
        target = load(name)
        for seed in seeds_of(name):
            target.probe(seed)

    @UNHURRIED
    @given(choice=st.randoms(use_true_random=False), edits=EDITS)
    def test_every_seed_changed(self, name: str, choice: random.Random, edits: Any) -> None:
        """Law 3.11: and whatever lies near it."""
        load(name).probe(edited(choice.choice(seeds_of(name)), edits))

    @UNHURRIED
    @given(data=st.binary(max_size=400))
    @example(b"")
    def test_any_bytes(self, name: str, data: bytes) -> None:
        """Law 3.11: and anything at all."""
        load(name).probe(data)


def lax_object(data: bytes, limits: object) -> Any:
    """The standard library's reading, duplicates and all."""
    return json.loads(data)


def lax_segment(segment: str) -> bytes:
    """What the standard library makes of a segment, padded or not and whatever its last bits are."""
    return base64.urlsafe_b64decode(segment.encode("ascii", "replace") + b"==")


PLANTED: list[tuple[Any, Any, str, Any]] = [
    (fuzz.targets.json_object, fuzz.targets.json_object, "parse_object", lax_object),
    (fuzz.targets.compact, compact, "decode_segment", lax_segment),
    (fuzz.targets.compact, compact, "_BEGINNINGS", frozenset({"ey"})),
    (fuzz.targets.claims, claims, "_check_kind", lambda *_: None),
    (fuzz.targets.claims, claims, "_NOT_AHEAD", ()),
    (fuzz.targets.gate, Key, "verifies", lambda *_: True),
    (fuzz.targets.key_set, reading, "_PRIVATE", frozenset()),
    (fuzz.targets.key_set, reading, "_RSA_BITS", range(1, 9999)),
    (fuzz.targets.key_text, reading, "_is_bare_public_key", lambda _: 1 / 0),
    (fuzz.targets.discovery, keys, "_is_weaker", lambda *_: False),
    (fuzz.targets.mercury, remote, "_MEMBERS", dict.fromkeys(remote._MEMBERS, lambda _: True)),
    (
        fuzz.targets.headers,
        fuzz.targets.headers,
        "extract",
        lambda *_, **__: {"bearer": BearerToken(Secret("a,b"))},
    ),
    (fuzz.targets.feed_replies, Replica, "known", lambda *_: "clear"),
    (fuzz.targets.redis_replies, protocol, "_MISREAD", (KeyError,)),
    (fuzz.targets.projects, static, "hmac", SimpleNamespace(compare_digest=lambda *_: True)),
]


class TestPlanted:
    @pytest.mark.parametrize(("target", "where", "name", "planted"), PLANTED)
    def test_a_defect_is_noticed(
        self, target: Any, where: Any, name: str, planted: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A target that could not fail would say nothing: one of its own seeds finds each of these."""
        given = list(target.seeds())
        monkeypatch.setattr(where, name, planted)

        def find() -> None:
            for seed in given:
                target.probe(seed)

        with pytest.raises(Exception, match=r".*"):
            find()
