"""Rows about API keys: what is presented of them, and what they are asked for."""

from __future__ import annotations

from dataclasses import replace

import authgate_core as ag
from authgate_core import is_api_key, is_user
from tests.adapter_contract.presenting import app, authorization, header, hostile, user
from tests.adapter_contract.row import (
    BEARER,
    FORBIDDEN,
    KEY,
    UNAVAILABLE,
    Row,
    failed,
    invalid,
    lacking,
    lets_in,
    malformed,
    missing,
    wrong_key,
)
from tests.adapter_contract.world import ENDED_KEY, GOOD_KEY, LOST_KEY, UNKNOWN_KEY

__all__ = ["KEYS"]

GOOD = header("X-API-Key", GOOD_KEY.key.reveal())
BY_SCHEME = authorization(f"ApiKey {GOOD_KEY.key.reveal()}")
TWICE = malformed(failed(KEY, "invalid_request"))
LETS_IN = lets_in(apikey=GOOD_KEY.id)
LACKS = replace(lacking("b", asked="a b"), challenge=f'{KEY}, error="insufficient_scope", scope="a b"')

KEYS = (
    Row("an API key", "8.2", (GOOD,), is_api_key, LETS_IN),
    Row("an API key behind its scheme", "8.2", (BY_SCHEME,), is_api_key, LETS_IN),
    Row("an API key with a scope", "8.3", (GOOD,), is_api_key & ag.all_scopes("a"), LETS_IN),
    Row("an API key with a role", "8.5", (GOOD,), is_api_key & ag.any_role("clerk"), LETS_IN),
    Row(
        "an API key besides a token",
        "2.3",
        (GOOD, user()),
        is_user & is_api_key,
        lets_in(user="u1", apikey=GOOD_KEY.id),
    ),
    Row("an API key or a token", "2.3", (BY_SCHEME,), is_user | is_api_key, LETS_IN),
    Row("no API key", "1.1", (), is_api_key, missing(KEY)),
    Row("a token where an API key is asked", "2.3", (user(),), is_api_key, missing(KEY)),
    Row("an API key where a user is asked", "2.3", (BY_SCHEME,), is_user, missing(BEARER)),
    Row("neither a token nor an API key", "1.1", (app("shop"),), is_user | is_api_key, missing(BEARER, KEY)),
    Row("if any: no API key", "1.4", (), is_api_key, lets_in(), optional=True),
    Row("two API keys", "2.2", (GOOD, GOOD), is_api_key, TWICE),
    Row("an API key in both headers", "2.2", (GOOD, BY_SCHEME), is_api_key, TWICE),
    Row("an empty API key", "2.2", (header("X-API-Key", ""),), is_api_key, TWICE),
    Row("no API key behind its scheme", "2.2", (authorization("ApiKey"),), is_api_key, TWICE),
    Row(
        "a mistyped API key",
        "6.7",
        (header("X-API-Key", GOOD_KEY.key.reveal()[:-1]),),
        is_api_key,
        wrong_key(),
    ),
    Row(
        "an unknown API key", "6.7", (header("X-API-Key", UNKNOWN_KEY.key.reveal()),), is_api_key, wrong_key()
    ),
    Row("an expired API key", "6.7", (header("X-API-Key", ENDED_KEY.key.reveal()),), is_api_key, wrong_key()),
    Row(
        "if any: a mistyped API key",
        "1.4",
        (header("X-API-Key", "x"),),
        is_api_key,
        wrong_key(),
        optional=True,
    ),
    Row(
        "a bad token besides an API key",
        "2.3",
        (GOOD, hostile("forged")),
        is_user | is_api_key,
        invalid(failed(BEARER, "invalid_token"), KEY),
    ),
    Row("an API key without the role", "8.3", (GOOD,), is_api_key & ag.any_role("boss"), FORBIDDEN),
    Row("an API key without a scope", "1.1", (GOOD,), is_api_key & ag.all_scopes("a", "b"), LACKS),
    Row(
        "an API key that nobody could look up",
        "1.5",
        (header("X-API-Key", LOST_KEY.key.reveal()),),
        is_api_key,
        UNAVAILABLE,
        gate="parts",
    ),
    Row(
        "a mistyped API key in an outage",
        "6.7",
        (header("X-API-Key", LOST_KEY.key.reveal()[:-1]),),
        is_api_key,
        wrong_key(),
        gate="parts",
    ),
)
