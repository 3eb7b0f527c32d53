"""Prometheus: every decision is counted under bounded labels, and health is shown as it is at the scrape."""

from __future__ import annotations

import gc
import subprocess
import sys
import time
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

import authgate_core as ag
from authgate_core.events import Decided, Notice
from authgate_core.keyring import KeySetHealth
from authgate_core.observers import Health, Prometheus
from authgate_core.observers.metrics import GROUPS, METRICS, Group
from authgate_core.revocation import FeedHealth, RevocationHealth
from authgate_core.testing import FakeIssuer, ManualClock
from tests.support.gates import bearer, trusted, view

GRANTED = Decided("granted", "bearer", "main", "ok", cached=True, duration=0.00003)
DOWN = Decided("unavailable", "bearer", "main", "keys_unavailable", cached=False, duration=2.0)


class Ill:
    """A gate of whose health a test says what it is."""

    def __init__(self, *keys: KeySetHealth, revocation: tuple[RevocationHealth, ...] = ()) -> None:
        self.keys = keys
        self.revocation = revocation

    def health(self) -> Health:
        return Health(self.keys, self.revocation)


@pytest.fixture(name="registry")
def _registry() -> CollectorRegistry:
    return CollectorRegistry()


def keys(status: str, age: float | None, issuer: str = "main", tenant: str | None = None) -> KeySetHealth:
    """A key set."""
    return KeySetHealth(issuer, tenant, status, age, 1, None)  # type: ignore[arg-type]  # one of its words


def value(registry: CollectorRegistry, name: str, **labels: str) -> float | None:
    """What a scrape shows; None for nothing."""
    for metric in registry.collect():
        for sample in metric.samples:
            if (sample.name, sample.labels) == (name, labels):
                return sample.value
    return None


class TestDecisions:
    """One event is one count."""

    def test_a_gate(self, registry: CollectorRegistry) -> None:
        """Who is admitted and who is refused, by the real thing."""
        fake = FakeIssuer()
        config = ag.GateConfig(issuers=[trusted(fake)], on_event=Prometheus(registry=registry))
        with ag.Gate(config) as gate:
            for _ in range(2):
                gate.admit(view(bearer(fake.token())), ag.is_user)
            with pytest.raises(ag.TokenExpired):
                gate.admit(view(bearer(fake.hostile.expired())), ag.is_user)

        granted = {"outcome": "granted", "kind": "bearer", "issuer": "id", "code": "ok"}
        refused = {"outcome": "refused", "kind": "bearer", "issuer": "id", "code": "token_expired"}
        assert 2.0 == value(registry, "authgate_decisions_total", **granted)
        assert 1.0 == value(registry, "authgate_decisions_total", **refused)

    def test_a_shadow(self, registry: CollectorRegistry) -> None:
        """Law 8.6: what was not carried out has an outcome of its own."""
        fake = FakeIssuer()
        config = ag.GateConfig(issuers=[trusted(fake)], shadow=True, on_event=Prometheus(registry=registry))
        with ag.Gate(config) as gate:
            gate.admit(view(), ag.is_user)

        labels = {
            "outcome": "would_refuse",
            "kind": "none",
            "issuer": "unknown",
            "code": "credentials_missing",
        }
        assert 1.0 == value(registry, "authgate_decisions_total", **labels)
        assert 1.0 == value(registry, "authgate_notices_total", code="shadow", alarm="true")

    def test_how_long(self, registry: CollectorRegistry) -> None:
        """From what a remembered token takes to what an issuer that hangs takes."""
        observer = Prometheus(registry=registry)
        observer(GRANTED)
        observer(DOWN)

        name = "authgate_decision_duration_seconds"
        quick = {"outcome": "granted", "cached": "true"}
        assert 0.0 == value(registry, f"{name}_bucket", le="2.5e-05", **quick)
        assert 1.0 == value(registry, f"{name}_bucket", le="5e-05", **quick)
        slow = {"outcome": "unavailable", "cached": "false"}
        assert 0.0 == value(registry, f"{name}_bucket", le="1.0", **slow)
        assert 2.0 == value(registry, f"{name}_sum", **slow)

    def test_labels_are_those_of_the_table(self, registry: CollectorRegistry) -> None:
        """Law 10.1: no metric has another label, so no claim and no path can be one."""
        observer = Prometheus(registry=registry)
        gate = Ill(
            keys("fresh", 1.0, tenant="t1"),
            revocation=(
                RevocationHealth(
                    source="redis", status="ok", feed=FeedHealth(status="live", age=0.1, entries=0, limit=1)
                ),
            ),
        )
        observer.attend(gate)
        observer(GRANTED)
        observer(Notice("breaker_open", "main (t1)", "five failures"))

        shown = {
            (metric.name, *sorted(set(sample.labels) - {"le"}))
            for metric in registry.collect()
            for sample in metric.samples
            if not metric.name.endswith("_created")
        }
        assert {(metric.name, *sorted(metric.labels)) for metric in METRICS} == shown


class TestHealth:
    """What the gates depend on."""

    def test_the_age_of_keys(self, registry: CollectorRegistry) -> None:
        """Law 4.4: a metric shows it, of the oldest set of an issuer; keys of the configuration have none."""
        clock = ManualClock()
        observer = Prometheus(registry=registry, clock=clock)
        gate = Ill(
            keys("fresh", 10.0, tenant="t1"),
            keys("stale", 400.0, tenant="t2"),
            keys("down", None, tenant="t3"),
            keys("static", None, "own"),
        )
        observer.attend(gate)

        fetched = value(registry, "authgate_key_set_timestamp_seconds", issuer="main")
        assert clock.now().wall - 400.0 == fetched
        states = [
            value(registry, "authgate_key_sets", issuer="main", status=status)
            for status in ("fresh", "stale", "down")
        ]
        assert [1.0, 1.0, 1.0] == states
        assert value(registry, "authgate_key_set_timestamp_seconds", issuer="own") is None
        assert value(registry, "authgate_key_sets", issuer="own", status="fresh") is None

    def test_a_scrape_sees_it_as_it_is(self, registry: CollectorRegistry) -> None:
        """Though no request has come since."""
        observer = Prometheus(registry=registry)
        gate = Ill(keys("fresh", 1.0))
        observer.attend(gate)
        gate.keys = (keys("down", None),)

        assert 1.0 == value(registry, "authgate_key_sets", issuer="main", status="down")
        assert 0.0 == value(registry, "authgate_key_sets", issuer="main", status="fresh")

    def test_events_have_it_written(self, registry: CollectorRegistry) -> None:
        """For processes whose files are collected by another; every five seconds, not with each event."""
        clock = ManualClock()
        observer = Prometheus(registry=registry, clock=clock)
        gate = Looked()
        observer.attend(gate)
        observer(GRANTED)
        seen = gate.times
        observer(GRANTED)
        clock.advance(4.9)
        observer(GRANTED)
        assert seen == gate.times
        clock.advance(0.1)
        observer(GRANTED)

        assert seen * 2 > gate.times > seen

    def test_revocation_sources(self, registry: CollectorRegistry) -> None:
        """Of several of one kind, the worst; one that was never asked has not failed."""
        feeds = [
            FeedHealth(status="live", age=0.1, entries=1, limit=9),
            FeedHealth(status="down", age=None, entries=0, limit=9),
        ]
        gate = Ill(
            revocation=(
                RevocationHealth(source="redis", status="ok", unchecked=2, feed=feeds[0]),
                RevocationHealth(source="redis", status="open", unchecked=1, feed=feeds[1]),
                RevocationHealth(source="redis:m8", status="unknown"),
                RevocationHealth(source="memory", status="ok"),
            )
        )
        Prometheus(registry=registry).attend(gate)

        def of(what: str) -> list[float | None]:
            return [
                value(registry, f"authgate_revocation_{what}", source=source)
                for source in ("redis", "redis:m8", "memory")
            ]

        assert [0.0, None, 1.0] == of("source_up")
        assert [0.0, None, None] == of("feed_live")
        assert [3.0, 0.0, 0.0] == of("unchecked_checks")

    def test_a_gate_that_is_gone_is_not_shown(self, registry: CollectorRegistry) -> None:
        """Who watches keeps nobody alive; one that attends twice is one."""
        observer = Prometheus(registry=registry)
        gate, other = Ill(keys("fresh", 1.0)), Ill(keys("fresh", 1.0))
        for one in (gate, other, gate):
            observer.attend(one)
        assert 2.0 == value(registry, "authgate_key_sets", issuer="main", status="fresh")
        del other, one
        gc.collect()
        assert 1.0 == value(registry, "authgate_key_sets", issuer="main", status="fresh")

    def test_a_gate_introduces_itself(self, registry: CollectorRegistry) -> None:
        """Once it is built, with whatever it has."""
        fake = FakeIssuer()
        issuer = ag.Issuer.oidc("https://id.example.com", audience=fake.audience, name="id")
        observer = Prometheus(registry=registry)
        config = ag.GateConfig(issuers=[issuer], revocation=ag.MemoryRevocation(), on_event=[observer])
        with ag.Gate(config):
            assert 1.0 == value(registry, "authgate_key_sets", issuer="id", status="down")
            assert 1.0 == value(registry, "authgate_revocation_source_up", source="memory")


class Looked:
    """A gate that counts who looks at it."""

    def __init__(self) -> None:
        self.times = 0

    def health(self) -> Health:
        self.times += 1
        return Health(())


class TestGroups:
    """Each group can be left out."""

    @pytest.mark.parametrize("group", GROUPS)
    def test_one_alone(self, registry: CollectorRegistry, group: Group) -> None:
        """It brings its own metrics and none besides."""
        observer = Prometheus(groups=[group], registry=registry)
        observer.attend(Ill(keys("fresh", 1.0)))
        observer(GRANTED)
        observer(Notice("breaker_open", "main", "five failures"))

        names = {metric.name for metric in registry.collect() if not metric.name.endswith("_created")}
        assert {metric.name for metric in METRICS if metric.group == group} == names

    def test_an_unknown_one(self, registry: CollectorRegistry) -> None:
        """It is named, and so are those that there are."""
        with pytest.raises(ag.ConfigurationError, match="'keyz'; there are decisions, durations, keys"):
            Prometheus(groups=["keyz"], registry=registry)  # type: ignore[list-item]  # that is the mistake

    def test_several_share_a_registry(self, registry: CollectorRegistry) -> None:
        """Whatever makes a second gate, as tests do, adds to the same metrics."""
        Prometheus(groups=["decisions"], registry=registry)(GRANTED)
        Prometheus(registry=registry)(GRANTED)

        labels = {"outcome": "granted", "kind": "bearer", "issuer": "main", "code": "ok"}
        assert 2.0 == value(registry, "authgate_decisions_total", **labels)

    def test_without_the_library(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """What to install is said."""
        monkeypatch.setitem(sys.modules, "prometheus_client", None)
        with pytest.raises(ag.ConfigurationError, match=r"authgate-core\[prometheus\]"):
            Prometheus()


WORKERS = """
import os, sys
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from authgate_core.events import Decided
from authgate_core.keyring import KeySetHealth
from authgate_core.observers import Health, Prometheus

class Gate:
    def __init__(self, age): self.age = age
    def health(self): return Health((KeySetHealth("main", None, "fresh", self.age, 1, None),))

observer = Prometheus()
children = []
for age in (100.0, 5000.0, 900000.0):
    child = os.fork()
    if not child:
        observer.attend(gate := Gate(age))
        observer(Decided("granted", "bearer", "main", "ok", cached=True, duration=0.001))
        os._exit(0)
    os.waitpid(child, 0)
    children.append(child)
mark_process_dead(children[-1])
registry = CollectorRegistry()
MultiProcessCollector(registry)
sys.stdout.write(generate_latest(registry).decode())
"""


class TestProcesses:
    """Several workers write into files, and one of them answers for all."""

    def test_their_values_are_joined(self, tmp_path: Path) -> None:
        """Counts add up; of key sets, the oldest of those processes that live is shown."""
        environment = {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path), "PATH": "/usr/bin:/bin"}
        ran = subprocess.run(
            [sys.executable, "-c", WORKERS], env=environment, capture_output=True, text=True, check=True
        )
        lines = dict(line.rsplit(" ", 1) for line in ran.stdout.splitlines() if not line.startswith("#"))

        labels = '{code="ok",issuer="main",kind="bearer",outcome="granted"}'
        assert "3.0" == lines[f"authgate_decisions_total{labels}"]
        assert "1.0" == lines['authgate_key_sets{issuer="main",status="fresh"}']
        age = time.time() - float(lines['authgate_key_set_timestamp_seconds{issuer="main"}'])
        assert 5000.0 <= age < 900000.0


class TestFailing:
    """Law 10.2: a gate that cannot be looked at changes nothing."""

    def test_a_gate_starts_and_decides(
        self, registry: CollectorRegistry, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Each failure is in the log."""

        class Broken(Ill):
            def health(self) -> Health:
                raise RuntimeError("no health")

        observer = Prometheus(registry=registry)
        broken = Broken()
        with pytest.raises(RuntimeError):
            observer.attend(broken)
        fake = FakeIssuer()
        with ag.Gate(ag.GateConfig(issuers=[trusted(fake)], on_event=observer)) as gate:
            assert "u1" == gate.verify_token(fake.token("u1")).user.id

        failures = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
        assert ["an observer failed to attend", "the observer failed on Decided"] == failures
