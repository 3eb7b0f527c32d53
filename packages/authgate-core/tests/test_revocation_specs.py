"""Specifications of revocation stores: what is wrong with one, and how it is shown."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from typing import Any, Literal

import pytest
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.cache import CacheConfig
from redis.retry import Retry

from authgate_core.revocation import MemoryRevocation, RedisRevocation, client_kind, masked_url

# Imported by name, which makes them Any: redis-py's constructors do not take dictionaries of settings in its types.
redis = importlib.import_module("redis")
redis_asyncio = importlib.import_module("redis.asyncio")
redis_cluster = importlib.import_module("redis.cluster")
redis_sentinel = importlib.import_module("redis.sentinel")

QUICK: dict[str, Any] = {"socket_timeout": 0.5, "socket_connect_timeout": 0.5}


def quick(retries: int = 1) -> Any:
    """A client that needs no word."""
    return redis.Redis(**QUICK, retry=Retry(NoBackoff(), retries))


def quick_async() -> Any:
    """The same for asyncio."""
    return redis_asyncio.Redis(**QUICK, retry=AsyncRetry(NoBackoff(), 0))


def sentinel(**settings: object) -> Any:
    """A Sentinel whose own clients are quick, unless settings say otherwise."""
    kwargs = {**QUICK, "retry": Retry(NoBackoff(), 0), **settings}
    return redis_sentinel.Sentinel([("127.0.0.1", 1)], sentinel_kwargs=kwargs)


def problems(
    server: object, colour: Literal["sync", "async"] = "sync", *, accept_slow_client: bool = False
) -> str:
    """What is wrong with a specification on this server, one sentence a line."""
    return "\n".join(RedisRevocation(server, accept_slow_client=accept_slow_client).problems(colour))


class TestUrls:
    @pytest.mark.parametrize(
        "url",
        [
            "redis://localhost",
            "redis://localhost/",
            "redis://localhost:6379/0",
            "redis://user:p%40ss@10.0.0.1:6379/15?client_name=gate",
            "redis://[::1]:6379?db=3",
            "rediss://localhost:6380?ssl_ca_certs=/etc/ca.pem",
            "unix:///run/valkey.sock?db=1",
        ],
    )
    def test_good_ones(self, url: str) -> None:
        """Everything that one needs to reach a server may stand in the URL."""
        assert "" == problems(url)
        assert "" == problems(url, "async")

    @pytest.mark.parametrize(
        ("url", "sentence"),
        [
            ("", "begins with redis://"),
            ("localhost:6379", "begins with redis://"),
            ("http://localhost", "begins with redis://"),
            ("redis:localhost", "begins with redis://"),
            ("REDIS://localhost", "begins with redis://"),
            ("unix:.//run/valkey.sock", "begins with redis://"),
            ("redis://localhost:port", "begins with redis://"),
            ("redis://localhost:99999", "begins with redis://"),
            ("redis://[::1", "begins with redis://"),
            ("redis://", "names a host"),
            ("redis:///0", "names a host"),
            ("redis://localhost/db0", "number of the database"),
            ("redis://localhost/X", "number of the database"),
            ("redis://localhost/1X", "number of the database"),
            ("redis://localhost?db=zero", "db in the URL of Redis is a number"),
            ("unix://", "names a socket"),
            ("redis://localhost?socket_timeout=9", "socket_timeout in the URL of Redis is not read"),
            ("redis://localhost?socket_timeout=", "socket_timeout in the URL of Redis is not read"),
            ("redis://localhost?db=", "db in the URL of Redis is a number"),
            ("redis://localhost?retry_on_timeout=yes", "retry_on_timeout in the URL of Redis is not read"),
            ("redis://localhost?protocol=3", "protocol in the URL of Redis is not read"),
            ("redis://localhost?ssl_ca_certs=/etc/ca.pem", "needs rediss://"),
            ("rediss://localhost?ssl_cert_reqs=none", "checks certificates"),
            ("rediss://localhost?ssl_check_hostname=no", "checks certificates"),
        ],
    )
    def test_bad_ones(self, url: str, sentence: str) -> None:
        """Laws 1.6 and 5.4: a URL that cannot work, or that would set other limits, is named with the fix."""
        assert sentence in problems(url)

    @pytest.mark.parametrize("option", ["client_name=gate", "db=1", "password=p", "username=u"])
    @pytest.mark.parametrize(
        "address", ["redis://localhost", "rediss://localhost", "unix:///run/valkey.sock"]
    )
    def test_who_comes_and_where_to(self, address: str, option: str) -> None:
        """redis-py's options for that may stand in any URL."""
        assert "" == problems(f"{address}?{option}")

    @pytest.mark.parametrize(
        "option",
        ["ssl_ca_certs", "ssl_ca_data", "ssl_ca_path", "ssl_certfile", "ssl_keyfile", "ssl_password"],
    )
    def test_whom_to_trust(self, option: str) -> None:
        """redis-py's options for certificates and keys are read where there is TLS, and refused where there is none."""
        assert "" == problems(f"rediss://localhost?{option}=x")
        for address in ("redis://localhost", "unix:///run/valkey.sock"):
            assert f"{option} in the URL of Redis needs rediss://" == problems(f"{address}?{option}=x")

    @pytest.mark.parametrize(
        ("url", "shown"),
        [
            ("redis://user:secret@host:6379/0", "redis://user:***@host:6379/0"),
            ("redis://:secret@host", "redis://:***@host"),
            ("redis://user:secret@secret@host", "redis://user:***@host"),
            ("redis://user@host", "redis://user@host"),
            ("redis://host/0", "redis://host/0"),
            ("unix://user@/run/sock?password=secret", "unix://user@/run/sock?***"),
            ("secret-without-scheme", "***"),
            ("redis://host:secret", "***"),
        ],
    )
    def test_no_password_is_shown(self, url: str, shown: str) -> None:
        """Law 2.5: repr masks the password, wherever in the URL it stands."""
        assert shown == masked_url(url)
        assert "secret" not in repr(RedisRevocation(url))
        assert "secret" not in problems(url)


class TestSettings:
    def test_the_usual_ones_are_right(self) -> None:
        """Nothing needs to be set."""
        assert [] == RedisRevocation("redis://localhost").problems("sync")
        assert [] == MemoryRevocation().problems("async")

    def test_everything_wrong_is_said_at_once(self) -> None:
        """Law 1.6: all problems in one message, each naming the setting."""
        spec = RedisRevocation("nowhere", on_error="ignore", allow_for=0, prefix="{a}")  # type: ignore[arg-type]
        assert ["the URL", "on_error", "allow_for", "prefix"] == [
            next(name for name in ("the URL", "on_error", "allow_for", "prefix") if line.startswith(name))
            for line in spec.problems("sync")
        ]

    @pytest.mark.parametrize("allow_for", [0, -1, float("nan"), float("inf"), True, "600"])
    def test_allow_ends(self, allow_for: float) -> None:
        """Law 5.3: there is no ``allow`` without an end."""
        assert "allow_for" in RedisRevocation("redis://h", allow_for=allow_for).problems("sync")[0]

    def test_less_than_a_second_and_no_more_than_one(self) -> None:
        """What is small is a choice, and no mistake."""
        assert [] == RedisRevocation("redis://h", allow_for=0.5, feed=True, feed_limit=1).problems("sync")

    @pytest.mark.parametrize("prefix", ["", "a b", "{a}", "a" * 65, "a\n", None])
    def test_a_prefix_is_plain(self, prefix: str) -> None:
        """Law 5.12: braces would move the Cluster's hash tag."""
        assert "prefix" in RedisRevocation("redis://h", prefix=prefix).problems("sync")[0]

    @pytest.mark.parametrize("prefix", ["a", "Orders.v2_eu:A-Z", "0123456789", "A" * 64])
    def test_plain_prefixes(self, prefix: str) -> None:
        """Letters of both cases, digits and four marks, up to 64 of them."""
        assert [] == RedisRevocation("redis://h", prefix=prefix).problems("sync")

    def test_what_is_not_written_out(self) -> None:
        """Laws 5.3 and 5.4: ten minutes of ``allow``, and no slow client but in writing."""
        spec = RedisRevocation("redis://h")
        assert (600.0, 100_000, False) == (spec.allow_for, spec.feed_limit, spec.accept_slow_client)
        assert [] != RedisRevocation(redis.Redis()).problems("sync")

    def test_redis_py_is_needed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Law 1.6: without the extra the gate says what to install, and nothing is imported to find out."""
        find = importlib.util.find_spec
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "redis" else find(name))
        assert "pip install 'authgate-core[redis]'" in problems("redis://localhost")

    @pytest.mark.parametrize("layout", ["", "Mercury", "M8", None])
    def test_a_layout_is_one_that_is_known(self, layout: Any) -> None:
        """Law 1.6: another one would be read as no entries at all."""
        assert ["layout: write"] == [
            line[:13] for line in RedisRevocation("redis://h", layout=layout).problems("sync")
        ]

    def test_whose_entries_they_are(self) -> None:
        """What people call the owner of a layout is what notices and errors call it."""
        layouts: list[Literal["authgate", "m8", "mercury"]] = ["authgate", "m8", "mercury"]
        specs = [RedisRevocation("redis://h", layout=layout) for layout in layouts]
        assert ["authgate", "m8", "Mercury"] == [spec.owner for spec in specs]
        assert ["redis", "redis:m8", "redis:mercury"] == [spec.source for spec in specs]

    def test_a_layout_of_others(self) -> None:
        """Laws 1.6 and 5.9: a prefix would do nothing there; everything else is as in our own."""
        spec = RedisRevocation("redis://h", layout="mercury", on_error="allow")
        assert [] == spec.problems("sync")
        assert (True, "redis:mercury") == (spec.is_foreign, spec.source)
        assert (False, "redis") == (
            RedisRevocation("redis://h").is_foreign,
            RedisRevocation("redis://h").source,
        )
        (problem,) = RedisRevocation("redis://h", layout="mercury", prefix="mine").problems("sync")
        assert problem.startswith("prefix: does nothing in Mercury's layout")

    def test_shown(self) -> None:
        """A specification says what it is, and of a client only its kind."""
        assert "RedisRevocation(<Redis>, on_error='deny', prefix='authgate')" == repr(
            RedisRevocation(quick())
        )
        assert "RedisRevocation('redis://h', layout='mercury', on_error='deny')" == repr(
            RedisRevocation("redis://h", layout="mercury")
        )


class TestFeed:
    @pytest.mark.parametrize(
        ("options", "sentence"),
        [
            ({"feed": "yes"}, "feed: write True or False"),
            ({"feed": True, "feed_limit": 0}, "feed_limit: write a positive whole number"),
            ({"feed_limit": True}, "feed_limit: write a positive whole number"),
            ({"feed_limit": 1.5}, "feed_limit: write a positive whole number"),
            ({"feed": True, "layout": "mercury"}, "feed: Mercury's layout has none"),
        ],
    )
    def test_what_is_wrong(self, options: dict[str, Any], sentence: str) -> None:
        """Laws 1.6 and 5.11: the feed is for authgate's own layout, and its bound is a number."""
        found = RedisRevocation("redis://localhost", **options).problems("sync")
        assert [sentence] == [problem[: len(sentence)] for problem in found]

    @pytest.mark.parametrize(("make", "colour"), [(quick, "sync"), (quick_async, "async")])
    def test_it_needs_a_url(self, make: Callable[[], Any], colour: Literal["sync", "async"]) -> None:
        """Law 5.11: it is followed on a connection of its own, by a thread that shares no client."""
        (problem,) = RedisRevocation(make(), feed=True).problems(colour)
        assert "give RedisRevocation the URL" in problem

    @pytest.mark.parametrize("colour", ["sync", "async"])
    def test_it_is_off_until_it_is_switched_on(self, colour: Literal["sync", "async"]) -> None:
        """Law 5.1: by default every request asks; what is switched on is shown."""
        assert RedisRevocation("redis://localhost").feed is False
        spec = RedisRevocation("redis://localhost", feed=True)
        assert [] == spec.problems(colour)
        assert repr(spec).endswith("prefix='authgate', feed=True)")


class TestClients:
    @pytest.mark.parametrize("client", [None, 7, object(), quick, redis, quick().pipeline()])
    def test_what_is_no_client(self, client: object) -> None:
        """Law 1.6: anything but a URL or a redis-py client is refused."""
        assert client_kind(client) is None
        assert "hand in a redis-py client" in problems(client)

    def test_a_sentinel_is_not_its_master(self) -> None:
        """Law 5.12: Sentinel is used through the client that it makes."""
        assert "master_for(name)" in problems(sentinel())

    @pytest.mark.parametrize("make", [quick, lambda: sentinel().master_for("m", **QUICK)])
    def test_a_quick_client_is_right(self, make: Callable[[], Any]) -> None:
        """Laws 5.4 and 5.12: time-outs up to a second and one retry need no word."""
        client = make()
        assert "single" == client_kind(client)
        assert "" == problems(client)

    def test_the_wrong_colour(self) -> None:
        """Law 9.4: a client for asyncio is for AsyncGate, and the other for Gate."""
        assert "one for asyncio" in problems(quick_async(), "sync")
        assert "not one for asyncio" in problems(quick(), "async")
        assert "" == problems(quick_async(), "async")

    @pytest.mark.parametrize(
        ("settings", "sentence"),
        [
            ({"socket_timeout": 1.5}, "socket_timeout of 1.5 s"),
            ({"socket_connect_timeout": 5}, "socket_connect_timeout of 5 s"),
            ({"socket_timeout": None}, "socket_timeout of none"),
            ({"socket_timeout": 0}, "socket_timeout of 0 s"),
            ({"retry": Retry(NoBackoff(), 2)}, "retries 2 times"),
            ({"retry": Retry(NoBackoff(), -1)}, "retries without end"),
        ],
    )
    def test_a_slow_client(self, settings: dict[str, object], sentence: str) -> None:
        """Law 5.4: more than a second or more than one retry is an error, unless accepted in writing."""
        kwargs: dict[str, object] = {**QUICK, "retry": Retry(NoBackoff(), 1), **settings}
        client = redis.Redis.from_url("redis://localhost", **kwargs)
        assert sentence in problems(client)
        assert "accept_slow_client=True" in problems(client)
        assert "" == problems(client, accept_slow_client=True)

    def test_the_limits_themselves_are_good(self) -> None:
        """Law 5.4: a second, and one retry or none."""
        for retries in (0, 1):
            client = redis.Redis(
                socket_timeout=1, socket_connect_timeout=1.0, retry=Retry(NoBackoff(), retries)
            )
            assert "" == problems(client)

    def test_what_to_write_in_place_of_it(self) -> None:
        """Law 1.6: the fix is named, and the one of a Sentinel where there is a Sentinel."""
        write = "write a URL such as redis://localhost:6379/0, or hand in a redis-py client"
        assert f"RedisRevocation got a int: {write}" == problems(7)
        assert f"RedisRevocation got a Sentinel: {write}; of a Sentinel hand in master_for(name)" == problems(
            sentinel()
        )

    def test_the_defaults_of_redis_py_are_slow(self) -> None:
        """Law 5.4: five seconds and ten retries would hold a request for a minute."""
        assert 3 == len(problems(redis.Redis()).splitlines())
        assert 3 == len(problems(redis_asyncio.Redis(), "async").splitlines())

    def test_a_pool_that_was_built_by_hand(self) -> None:
        """A pool without a Retry retries once only where it was told on what."""
        pool = redis.ConnectionPool(host="localhost", **QUICK)
        assert "" == problems(redis.Redis(connection_pool=pool))
        assert 2 == len(problems(redis.Redis(connection_pool=redis.ConnectionPool())).splitlines())
        once = redis.ConnectionPool(host="localhost", retry_on_timeout=True, **QUICK)
        assert "" == problems(redis.Redis(connection_pool=once))

    def test_a_client_that_hides_its_settings(self) -> None:
        """Law 5.4: what cannot be seen is taken for the library's five seconds."""
        hidden = redis.Redis.__new__(redis.Redis)
        assert "socket_timeout of 5.0 s" in problems(hidden)

    def test_a_retry_of_a_kind_of_its_own(self) -> None:
        """What cannot be counted is not trusted to be one."""

        class Endless(Retry):
            def get_retries(self) -> int:
                return None  # type: ignore[return-value]

        pool = redis.ConnectionPool(host="localhost", retry=Endless(NoBackoff(), 0), **QUICK)
        assert "retries 2 times" in problems(redis.Redis(connection_pool=pool))

    def test_a_slow_client_of_slow_sentinels(self) -> None:
        """Law 1.6: all that is wrong is said at once."""
        found = problems(sentinel(socket_timeout=5).master_for("m", **{**QUICK, "socket_connect_timeout": 4}))
        assert "the Redis client has a socket_connect_timeout of 4 s" in found
        assert "a Sentinel's own client (see sentinel_kwargs) has a socket_timeout of 5 s" in found

    def test_slow_sentinels(self) -> None:
        """Law 5.4: the client that looks for the master is part of the wait."""
        slow = sentinel(socket_timeout=5).master_for("m", **QUICK)
        assert "a Sentinel's own client (see sentinel_kwargs) has a socket_timeout of 5 s" in problems(slow)
        assert "" == problems(slow, accept_slow_client=True)

    @pytest.mark.parametrize(
        ("make", "sentence"),
        [
            (lambda: redis.Redis(protocol=3, cache_config=CacheConfig(), **QUICK), "caches answers"),
            (lambda: sentinel().slave_for("m", **QUICK), "asks a replica"),
        ],
    )
    def test_a_client_that_answers_late(self, make: Callable[[], Any], sentence: str) -> None:
        """Laws 5.1 and 5.10: a cache or a replica does not know the newest entry; no word accepts that."""
        assert sentence in problems(make(), accept_slow_client=True)


class TestClusters:
    @pytest.fixture
    def cluster(self, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
        def make(**settings: object) -> Any:
            monkeypatch.setattr("redis.cluster.NodesManager.initialize", lambda *_, **__: None)
            monkeypatch.setattr("redis.cluster.CommandsParser", lambda *_: None)
            nodes = [redis_cluster.ClusterNode("127.0.0.1", 1)]
            kwargs: dict[str, object] = {**QUICK, "retry": Retry(NoBackoff(), 1), **settings}
            return redis_cluster.RedisCluster(startup_nodes=nodes, **kwargs)

        return make

    def test_a_quick_one(self, cluster: Callable[..., Any]) -> None:
        """Law 5.12: a Cluster's client is looked at like any other."""
        assert "cluster" == client_kind(cluster())
        assert "" == problems(cluster())

    @pytest.mark.parametrize(
        ("settings", "sentence"),
        [
            ({"retry": Retry(NoBackoff(), 3)}, "retries 3 times"),
            ({"socket_timeout": 3}, "socket_timeout of 3 s"),
            (
                {"load_balancing_strategy": redis_cluster.LoadBalancingStrategy.ROUND_ROBIN},
                "reads from replicas",
            ),
            ({"cache_config": CacheConfig(), "protocol": 3}, "caches answers"),
        ],
    )
    def test_a_bad_one(self, cluster: Callable[..., Any], settings: dict[str, object], sentence: str) -> None:
        """Laws 5.4 and 5.10: slow, or reading from replicas."""
        assert sentence in problems(cluster(**settings))

    def test_one_that_reads_from_replicas_as_of_old(self, cluster: Callable[..., Any]) -> None:
        """Law 5.10: redis-py knows the older name of that setting, too."""
        with pytest.warns(DeprecationWarning, match="read_from_replicas"):
            client = cluster(read_from_replicas=True)
        assert "reads from replicas" in problems(client)

    def test_one_that_hides_its_settings(self) -> None:
        """Law 5.4: what cannot be seen is taken for the library's five seconds."""
        hidden = redis_cluster.RedisCluster.__new__(redis_cluster.RedisCluster)
        assert "socket_timeout of 5.0 s" in problems(hidden)

    def test_the_async_one(self) -> None:
        """Law 5.12: the same for asyncio, whose settings are in another place."""
        kwargs = {**QUICK, "retry": AsyncRetry(NoBackoff(), 1)}
        assert "" == problems(redis_asyncio.RedisCluster(host="127.0.0.1", **kwargs), "async")
        slow = redis_asyncio.RedisCluster(host="127.0.0.1", socket_timeout=4, socket_connect_timeout=0.5)
        assert "socket_timeout of 4 s" in problems(slow, "async")
        assert "retries 10 times" in problems(slow, "async")
