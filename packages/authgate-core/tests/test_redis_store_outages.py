"""Redis that is down, hangs, loads, refuses, forgets or lies: never a pass, never an exception of its own."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from authgate_core.clock import SystemClock
from authgate_core.errors import RevocationUnavailable
from authgate_core.io.redis.protocol import LIMITS
from authgate_core.principal import ProjectRef, TokenRef
from authgate_core.revocation import secret_version_entry, session_entry, subjects_of, token_entry
from authgate_core.testing import ManualClock

OpenAny = Callable[..., Any]
HELLO_MASTER = b"*2\r\n$4\r\nrole\r\n$6\r\nmaster\r\n"


def token(name: str = "jti-1") -> TokenRef:
    """A token that is good for ten minutes."""
    now = time.time()
    return TokenRef("main", "t1", name, True, "s1", "u1", "c1", now - 60, None, now + 600, "k1")


def revoking(name: str = "jti-1") -> Any:
    """The entry that revokes such a token."""
    now = SystemClock().now()
    return token_entry("main", "t1", name, expires_at=now.wall + 600, max_lifetime=None, now=now)


def fails(store: Any, match: str | None = None) -> RevocationUnavailable:
    """Ask in vain; answers the outage."""
    with pytest.raises(RevocationUnavailable, match=match) as caught:
        store.is_revoked(token())
    return caught.value


class FakeServer:
    """Accepts connections and treats each as a test says.

    Args:
        treat: Gets each connection and how many there were before it.
    """

    def __init__(self, treat: Callable[[socket.socket, int], None]) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._treat = treat
        self._threads: list[threading.Thread] = []
        self._connections: list[socket.socket] = []
        self.accepted = 0
        self.url = f"redis://127.0.0.1:{self._listener.getsockname()[1]}"
        self._accepting = threading.Thread(target=self._accept)
        self._accepting.start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            number, self.accepted = self.accepted, self.accepted + 1
            thread = threading.Thread(target=self._serve, args=(connection, number))
            thread.start()
            self._threads.append(thread)
            self._connections.append(connection)

    def _serve(self, connection: socket.socket, number: int) -> None:
        with connection, contextlib.suppress(OSError):
            self._treat(connection, number)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._accepting.join()
        for connection in self._connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()


@pytest.fixture
def open_store(open_store: OpenAny) -> OpenAny:
    """Opens stores with the limits of every gate."""
    return partial(open_store, limits=LIMITS)


@pytest.fixture
def fake() -> Iterator[Callable[[Callable[[socket.socket, int], None]], FakeServer]]:
    """Starts servers that misbehave."""
    servers: list[FakeServer] = []

    def start(treat: Callable[[socket.socket, int], None]) -> FakeServer:
        servers.append(FakeServer(treat))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


class TestNoAnswer:
    def test_down(self, open_store: OpenAny, own_valkey: Any) -> None:
        """Laws 1.5 and 5.3: a store that is gone is an outage, for tokens and for projects."""
        store = open_store(own_valkey.url)
        assert store.is_revoked(token()) is False
        own_valkey.stop()
        fails(store, "Redis does not answer")
        with pytest.raises(RevocationUnavailable):
            store.is_revoked(ProjectRef("p", 1))
        assert "down" == store.health().status
        assert "Connection" in str(store.health().last_error)

    def test_back_again(self, open_store: OpenAny, own_valkey: Any) -> None:
        """A connection that the server closed meanwhile costs no request."""
        store = open_store(own_valkey.url)
        store.is_revoked(token())
        own_valkey.client().client_kill_filter(_type="normal", skipme=True)
        assert store.is_revoked(token()) is False

    @pytest.mark.parametrize("used_before", [True, False])
    def test_frozen(self, open_store: OpenAny, own_valkey: Any, used_before: bool) -> None:
        """Law 5.4: a server that hangs is given up in 0.3 s, over an old connection or a new one."""
        store = open_store(own_valkey.url)
        if used_before:
            store.is_revoked(token())
        own_valkey.freeze()
        began = time.monotonic()
        fails(store, "Timeout")
        took = time.monotonic() - began
        own_valkey.thaw()
        assert took <= 0.3

    def test_no_late_reply_is_believed(self, open_store: OpenAny, own_valkey: Any) -> None:
        """Law 5.4: after a time-out the connection is discarded, so its late reply answers nobody."""
        store = open_store(own_valkey.url)
        store.revoke(revoking("revoked"))
        assert store.is_revoked(token("other")) is False
        own_valkey.freeze()
        with pytest.raises(RevocationUnavailable):
            store.is_revoked(token("revoked"))
        own_valkey.thaw()
        assert store.is_revoked(token("other")) is False
        assert store.is_revoked(token("revoked")) is True

    @pytest.mark.usefixtures("punctual")
    def test_connections_that_lead_nowhere(self, open_store: OpenAny, own_valkey: Any, fake: Any) -> None:
        """Laws 5.4 and 5.5: of connections that a firewall forgot, one costs its time-out, and all go with it."""
        idle = 4
        together, are_forgotten = threading.Barrier(idle), threading.Event()
        held = threading.Event()

        def pass_on(connection: socket.socket, number: int) -> None:
            with socket.create_connection(("127.0.0.1", own_valkey.port)) as behind:
                while asked := connection.recv(4096):
                    if held.is_set():
                        together.wait(20)
                    if number >= idle or not are_forgotten.is_set():
                        behind.sendall(asked)
                        connection.sendall(behind.recv(4096))

        server = fake(pass_on)
        store = open_store(server.url)
        store.warm_up()
        held.set()
        assert [False] * idle == store.are_revoked([token()] * idle)
        held.clear()
        are_forgotten.set()
        fails(store, "Timeout")
        assert store.is_revoked(token()) is False
        assert idle + 1 == server.accepted

    def test_dripping(self, open_store: OpenAny, fake: Any) -> None:
        """Law 5.4: bytes that trickle in do not extend the 0.1 s for the whole reply."""

        def drip(connection: socket.socket, _number: int) -> None:
            connection.recv(4096)
            for byte in HELLO_MASTER * 20:
                connection.sendall(bytes([byte]))
                time.sleep(0.02)

        store = open_store(fake(drip).url)
        began = time.monotonic()
        fails(store)
        assert time.monotonic() - began < 2.0, "the reply would take ten seconds"

    def test_a_connection_that_is_not_accepted(self, open_store: OpenAny) -> None:
        """Law 5.4: connecting takes 0.25 s at most; a full backlog answers nothing."""
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen(0)
            address = listener.getsockname()
            with contextlib.ExitStack() as stack:
                for _ in range(4):
                    filler = stack.enter_context(socket.socket())
                    filler.setblocking(False)
                    filler.connect_ex(address)
                store = open_store(f"redis://127.0.0.1:{address[1]}")
                began = time.monotonic()
                fails(store)
                assert time.monotonic() - began < 2.0, "the kernel would try for two minutes"

    @pytest.mark.usefixtures("punctual")
    @pytest.mark.parametrize(
        ("reply", "accepted"),
        [(b"", 2), (b"-LOADING Valkey is loading the dataset in memory\r\n", 1), (b"?\r\n", 1)],
        ids=["closed", "loading", "garbage"],
    )
    def test_one_retry_only_when_closed(
        self, open_store: OpenAny, fake: Any, reply: bytes, accepted: int
    ) -> None:
        """Law 5.4: one retry on a fresh connection, and only if it was closed before any reply."""

        def close(connection: socket.socket, _number: int) -> None:
            connection.recv(4096)
            connection.sendall(reply)

        server = fake(close)
        fails(open_store(server.url))
        assert accepted == server.accepted

    @pytest.mark.usefixtures("punctual")
    def test_a_reply_that_breaks_off(self, open_store: OpenAny, fake: Any) -> None:
        """Law 5.4: once a reply was read, a connection that is closed is not tried again."""

        def half(connection: socket.socket, _number: int) -> None:
            connection.recv(4096)
            connection.sendall(HELLO_MASTER + b"*3\r\n")

        server = fake(half)
        fails(open_store(server.url))
        assert 1 == server.accepted

    def test_no_name_server_knows_the_host(self, open_store: OpenAny) -> None:
        """Law 1.5: a name that does not resolve is an outage."""
        fails(open_store("redis://no-such-host.invalid"))

    def test_refused_connections_are_not_retried(self, open_store: OpenAny, own_valkey: Any) -> None:
        """Law 5.4: nobody listens; asking twice would not change that."""
        own_valkey.stop()
        store = open_store(own_valkey.url)
        assert "Error 111" in fails(store).reason


class TestWrongAnswers:
    def answering(self, fake: Any, *replies: bytes) -> str:
        """The URL of a server that gives these replies after its role, query by query."""

        def answer(connection: socket.socket, _number: int) -> None:
            for reply in replies:
                if not connection.recv(4096):
                    return
                connection.sendall(HELLO_MASTER + reply)
            connection.recv(4096)

        return str(fake(answer).url)

    EPOCH = b"$2\r\nee\r\n"
    NO_INFO = b"-ERR unknown command 'INFO'\r\n"

    @pytest.mark.parametrize(
        ("reply", "reason"),
        [
            (b":0\r\n*2\r\n$2\r\nee\r\n$-1\r\n", "something else than was asked"),
            (b"+OK\r\n*7\r\n$2\r\nee\r\n" + b"$-1\r\n" * 6, "something else than was asked"),
            (b":1\r\n+OK\r\n", "something else than was asked"),
            (b":3\r\n*7\r\n$2\r\nee\r\n" + b"$-1\r\n" * 6, "something else than an entry"),
            (b":2\r\n*7\r\n$2\r\nee\r\n$3\r\nyes\r\n" + b"$-1\r\n" * 5, "cannot be read"),
            (b":1\r\n*7\r\n$2\r\nee\r\n:1\r\n" + b"$-1\r\n" * 5, "a string was expected"),
            (b":1\r\n-MASTERDOWN Link with MASTER is down\r\n", "refused|MASTERDOWN|MasterDown"),
            (b":1\r\n-BUSY a script runs\r\n", "refused"),
            (b"-NOPERM no permission\r\n*0\r\n", "refused"),
        ],
    )
    def test_a_reply_that_proves_nothing(
        self, open_store: OpenAny, fake: Any, reply: bytes, reason: str
    ) -> None:
        """Laws 1.3 and 5.3: whatever comes back, it is an answer or an outage."""
        fails(open_store(self.answering(fake, self.EPOCH, self.NO_INFO, reply)), reason)

    def test_what_is_not_known_of_eviction(self, open_store: OpenAny, fake: Any) -> None:
        """Law 5.10: where INFO is not allowed, the policy is unknown and nothing else is lost."""
        clear = b":1\r\n*7\r\n$2\r\nee\r\n" + b"$-1\r\n" * 6
        store = open_store(self.answering(fake, self.EPOCH, self.NO_INFO, clear))
        assert store.is_revoked(token()) is False
        assert store.health().eviction_policy is None

    @pytest.mark.parametrize(
        "hello",
        [b"*2\r\n$4\r\nrole\r\n$7\r\nreplica\r\n", b"*0\r\n", b"+OK\r\n", b"-ERR unknown command\r\n"],
    )
    def test_who_is_not_known_to_be_the_master(self, open_store: OpenAny, fake: Any, hello: bytes) -> None:
        """Law 5.10: a replica, and whoever does not say that it is a master, is not believed."""

        def answer(connection: socket.socket, _number: int) -> None:
            while connection.recv(4096):
                connection.sendall(hello + self.EPOCH)

        fails(open_store(fake(answer).url))

    @pytest.mark.parametrize("epoch", [b"$-1\r\n", b"$0\r\n\r\n"])
    def test_an_epoch_that_cannot_be_read(self, open_store: OpenAny, fake: Any, epoch: bytes) -> None:
        """Law 5.10: no epoch, no answer."""
        written = b"+OK\r\n" + epoch
        fails(open_store(self.answering(fake, b"$-1\r\n", written)), "cannot be read")

    def test_a_key_of_another_type(self, open_store: OpenAny, own_valkey: Any, prefix: str) -> None:
        """Law 5.3: MGET calls a list nil; that must not read as "not revoked"."""
        store = open_store(own_valkey.url)
        assert store.is_revoked(token()) is False
        subject = subjects_of(token())[0]
        key = f"{prefix}:{{{subject.group()}}}:{subject.digest()}"
        own_valkey.client().rpush(key, "x")
        fails(store, "something else than an entry")
        with pytest.raises(RevocationUnavailable, match=r"WRONGTYPE|wrong kind"):
            store.revoke(revoking())

    def test_an_entry_that_cannot_be_read(self, open_store: OpenAny, own_valkey: Any, prefix: str) -> None:
        """Law 5.3: an entry of another version of authgate is not ignored, nor overwritten."""
        store = open_store(own_valkey.url)
        store.warm_up()
        subject = subjects_of(token())[0]
        own_valkey.client().set(f"{prefix}:{{{subject.group()}}}:{subject.digest()}", "[2]")
        fails(store, "cannot be read")
        with pytest.raises(RevocationUnavailable, match="cannot be read"):
            store.revoke(revoking())


class TestWritesThatFail:
    def test_out_of_memory(self, open_store: OpenAny, own_valkey: Any) -> None:
        """Law 5.6: a full server refuses the write, and so does revoke(); checks go on."""
        store = open_store(own_valkey.url)
        store.warm_up()
        own_valkey.client().config_set("maxmemory", "1")
        with pytest.raises(RevocationUnavailable, match=r"OOM|maxmemory"):
            store.revoke(revoking())
        assert store.is_revoked(token()) is False

    def test_a_new_store_on_a_full_server(self, open_store: OpenAny, own_valkey: Any) -> None:
        """Law 5.10: without an epoch there is no answer."""
        own_valkey.client().config_set("maxmemory", "1")
        fails(open_store(own_valkey.url), "may not write one")

    def test_a_frozen_server(self, open_store: OpenAny, own_valkey: Any) -> None:
        """Law 5.6: revoke() raises when nobody confirmed, and writing again does no harm."""
        store = open_store(own_valkey.url)
        store.warm_up()
        own_valkey.freeze()
        with pytest.raises(RevocationUnavailable, match="Timeout"):
            store.revoke(revoking())
        own_valkey.thaw()
        store.revoke(revoking())
        assert store.is_revoked(token()) is True


class TestReplicas:
    def test_a_replica_is_not_asked(self, open_store: OpenAny, start_valkey: OpenAny) -> None:
        """Law 5.10: read from a replica means "cannot answer", and a write there raises."""
        master = start_valkey()
        open_store(master.url).revoke(revoking())
        replica = start_valkey(replicaof=f"127.0.0.1 {master.port}")
        store = open_store(replica.url)
        fails(store, "never read from a replica")
        with pytest.raises(RevocationUnavailable):
            store.revoke(revoking())

    def test_a_master_that_became_a_replica(self, open_store: OpenAny, start_valkey: OpenAny) -> None:
        """Law 5.10: the role is part of every answer, also over an old connection; a master is believed again."""
        master, other = start_valkey(), start_valkey()
        store = open_store(master.url)
        assert store.is_revoked(token()) is False
        master.client().replicaof("127.0.0.1", 1)
        fails(store, "never read from a replica")
        master.client().replicaof("NO", "ONE")
        assert store.is_revoked(token()) is False
        assert other.port != master.port


class TestEpoch:
    def test_a_server_that_lost_its_entries(self, open_store: OpenAny, own_valkey: Any) -> None:
        """Law 5.10: restarted empty, it would call everything clear; so it is not believed until reloaded."""
        store = open_store(own_valkey.url)
        store.revoke(revoking())
        own_valkey.stop()
        own_valkey.start()
        fails(store, "entries of the store may be lost")
        fails(store, "entries of the store may be lost")
        assert ["revocation_epoch_lost"] == store.codes
        assert "unloaded" == store.health().status
        store.revoke(revoking())
        fails(store, "entries of the store may be lost")
        store.reload()
        assert store.is_revoked(token()) is True
        assert "ok" == store.health().status

    def test_an_epoch_that_changed(self, open_store: OpenAny, own_valkey: Any, prefix: str) -> None:
        """Law 5.10: another data set under the same address is not believed, even if the old one comes back."""
        store = open_store(own_valkey.url)
        store.warm_up()
        client = own_valkey.client()
        epoch = client.get(f"{prefix}:epoch")
        client.set(f"{prefix}:epoch", "another")
        fails(store, "missing or another")
        client.set(f"{prefix}:epoch", epoch)
        fails(store, "missing or another")
        store.reload()
        assert store.is_revoked(token()) is False

    def test_gates_share_one_epoch(self, open_store: OpenAny, own_valkey: Any, prefix: str) -> None:
        """Law 5.10: the first gate gives a new store its epoch, and the others take it over."""
        first, second = open_store(own_valkey.url), open_store(own_valkey.url)
        first.is_revoked(token())
        epoch = own_valkey.client().get(f"{prefix}:epoch")
        second.is_revoked(token())
        assert epoch == own_valkey.client().get(f"{prefix}:epoch")
        assert 32 == len(epoch)

    def test_a_question_from_before_a_reload(self, open_store: OpenAny, own_valkey: Any) -> None:
        """Law 5.10: an answer that was under way while the operator reloaded does not end the store again."""
        store = open_store(own_valkey.url)
        store.warm_up()
        watch = store.store._parts.keeper.watch
        old = watch.remembered()
        watch.reload(b"new")
        with pytest.raises(RevocationUnavailable):
            watch.require(None, old)
        assert not watch.lost

    def test_first_looks_that_disagree(self, open_store: OpenAny, own_valkey: Any) -> None:
        """Law 5.10: two first looks at the same time that saw two epochs saw a store that was lost."""
        store = open_store(own_valkey.url)
        watch = store.store._parts.keeper.watch
        assert watch.begin(b"one") is True
        assert watch.begin(b"one") is False
        with pytest.raises(RevocationUnavailable):
            watch.begin(b"two")
        assert watch.lost

    def test_reloading_needs_the_store(self, open_store: OpenAny, own_valkey: Any) -> None:
        """Law 5.10: a store that does not answer cannot be declared loaded."""
        store = open_store(own_valkey.url)
        own_valkey.stop()
        with pytest.raises(RevocationUnavailable):
            store.reload()
        with pytest.raises(RevocationUnavailable):
            store.warm_up()


class TestBreaker:
    def test_it_opens_and_a_probe_closes_it(self, open_store: OpenAny, own_valkey: Any) -> None:
        """Law 5.5: five failures, then decisions without I/O, then a probe that no request carries."""
        store = open_store(own_valkey.url)
        store.is_revoked(token())
        own_valkey.stop()
        for _ in range(5):
            fails(store, "Redis does not answer")
        outage = fails(store, "not asked until a probe succeeds")
        assert 0.0 < outage.retry_after <= 0.5
        assert "open" == store.health().status
        assert ["revocation_breaker_open"] == store.codes
        own_valkey.start()
        store.wait_until(lambda: len(store.codes) > 1)
        assert ["revocation_breaker_open", "revocation_breaker_closed"] == store.codes
        fails(store, "entries of the store may be lost")

    @pytest.mark.usefixtures("punctual")
    def test_a_frozen_server_is_not_waited_for(self, open_store: OpenAny, own_valkey: Any) -> None:
        """Law 5.5: once open, nobody waits for the time-out; thawed, the same entries count again."""
        store = open_store(own_valkey.url)
        store.revoke(revoking())
        own_valkey.freeze()
        for _ in range(5):
            fails(store)
        for _ in range(200):
            fails(store, "not asked")
        own_valkey.thaw()
        store.wait_until(lambda: store.health().status != "open")
        assert store.is_revoked(token()) is True
        assert "ok" == store.health().status

    def test_one_probe_for_many_requests(self, open_store: OpenAny, fake: Any) -> None:
        """Law 5.5: while it is open the server sees the probe and nothing else."""

        def refuse(connection: socket.socket, _number: int) -> None:
            connection.recv(4096)
            connection.sendall(b"-LOADING later\r\n")

        clock = ManualClock(SystemClock().now())
        server = fake(refuse)
        store = open_store(server.url, clock=clock)
        for _ in range(5):
            fails(store)
        asked = server.accepted  # five, and one more for each that a late loop did not count
        for _ in range(50):
            fails(store, "not asked")
        assert asked == server.accepted
        clock.advance(1.0)
        store.wait_until(lambda: server.accepted > asked)
        fails(store, "not asked")
        assert asked + 1 == server.accepted

    @pytest.mark.usefixtures("punctual")
    def test_the_clock_says_when_to_probe(self, open_store: OpenAny, own_valkey: Any) -> None:
        """Law 5.5: rests are measured on the monotonic clock that the gate was given."""
        clock = ManualClock(SystemClock().now())
        store = open_store(own_valkey.url, clock=clock)
        store.warm_up()
        own_valkey.freeze()
        for _ in range(5):
            fails(store)
        own_valkey.thaw()
        waited = time.monotonic() + 0.7
        store.wait_until(lambda: time.monotonic() > waited)
        assert "open" == store.health().status
        clock.advance(0.5)
        store.wait_until(lambda: store.health().status != "open")
        assert store.is_revoked(token()) is False

    def test_closing_ends_the_probing(self, open_store: OpenAny, own_valkey: Any) -> None:
        """A closed store leaves nothing behind that goes on asking."""
        own_valkey.stop()
        store = open_store(own_valkey.url)
        for _ in range(5):
            fails(store)
        store.close_early()
        store.wait_until(lambda: "authgate-redis-probe" not in {each.name for each in threading.enumerate()})
        assert "open" != store.health().status

    def test_error_replies_do_not_open_it(self, open_store: OpenAny, own_valkey: Any, prefix: str) -> None:
        """A server that answers is worth asking, whatever it answers."""
        store = open_store(own_valkey.url)
        store.warm_up()
        subject = subjects_of(token())[0]
        own_valkey.client().set(f"{prefix}:{{{subject.group()}}}:{subject.digest()}", "[2]")
        for _ in range(8):
            fails(store, "cannot be read")
        assert [] == store.codes
        assert store.is_revoked(token("another")) is False


class TestAllow:
    def test_an_outage_is_passed_over_for_a_while(self, open_store: OpenAny, own_valkey: Any) -> None:
        """Law 5.3: written out, counted at every use, said on change and once a second, ended after allow_for."""
        clock = ManualClock(SystemClock().now())
        store = open_store(own_valkey.url, on_error="allow", allow_for=60.0, clock=clock)
        assert store.is_revoked(token()) is False
        own_valkey.stop()
        for _ in range(4):
            assert store.is_revoked(token()) is False
        assert (4, ["revocation_unchecked"]) == (store.health().unchecked, store.codes)
        clock.advance(1.0)
        assert store.is_revoked(token()) is False
        assert ["revocation_unchecked"] * 2 == [code for code in store.codes if "breaker" not in code]
        clock.advance(59.0)
        fails(store)
        fails(store)
        assert "revocation_allow_ended" == store.codes[-1]
        assert 5 == store.health().unchecked

    def test_what_is_known_here_is_refused_all_the_same(self, open_store: OpenAny, own_valkey: Any) -> None:
        """Law 5.3: never for entries known locally: those written here, and those seen in the store."""
        store, other = open_store(own_valkey.url, on_error="allow"), open_store(own_valkey.url)
        store.revoke(revoking("written"))
        other.revoke(revoking("seen"))
        other.revoke(revoking("unseen"))
        assert store.is_revoked(token("seen")) is True
        own_valkey.stop()
        assert store.is_revoked(token("written")) is True
        assert store.is_revoked(token("seen")) is True
        assert store.is_revoked(token("unseen")) is False

    def test_an_answer_ends_the_outage(self, open_store: OpenAny, own_valkey: Any) -> None:
        """Law 5.3: said when it changes back, with how many went unchecked."""
        store = open_store(own_valkey.url, on_error="allow")
        store.revoke(revoking())
        own_valkey.freeze()
        assert store.is_revoked(token("other")) is False
        own_valkey.thaw()
        assert store.is_revoked(token("other")) is False
        assert ["revocation_unchecked", "revocation_checked_again"] == store.codes
        assert "1 checks" in store.notices[-1].text

    def test_a_lost_epoch_is_passed_over_too(self, open_store: OpenAny, own_valkey: Any) -> None:
        """Laws 5.3 and 5.10: "cannot answer" is one thing, whatever the cause."""
        store = open_store(own_valkey.url, on_error="allow")
        store.revoke(replace(session_entry("main", "t1", "s9", max_lifetime=None, now=SystemClock().now())))
        store.revoke(secret_version_entry("p", 2))
        own_valkey.client().flushall()
        assert store.is_revoked(token()) is False
        assert store.is_revoked(ProjectRef("p", 1)) is True
        assert "unloaded" == store.health().status
