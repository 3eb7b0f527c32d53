"""What is kept in Redis or Valkey, in both colours; imported only for a gate that has some of it there."""

from .aio import AsyncRedisStore
from .api_keys import AsyncRedisKeyStore, RedisKeyStore
from .replays import AsyncRedisReplayStore, RedisReplayStore
from .store import RedisStore

__all__ = [
    "AsyncRedisKeyStore",
    "AsyncRedisReplayStore",
    "AsyncRedisStore",
    "RedisKeyStore",
    "RedisReplayStore",
    "RedisStore",
]
