"""Revocations in Redis or Valkey, in both colours; imported only for a gate that has one."""

from .aio import AsyncRedisStore
from .store import RedisStore

__all__ = ["AsyncRedisStore", "RedisStore"]
