"""What is kept in Redis or Valkey, in both colours; imported only for a gate that has some of it there."""

from .aio import AsyncRedisStore
from .replays import AsyncRedisReplayStore, RedisReplayStore
from .store import RedisStore

__all__ = ["AsyncRedisReplayStore", "AsyncRedisStore", "RedisReplayStore", "RedisStore"]
