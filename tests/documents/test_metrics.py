"""The page of metrics and the dashboard: they name what there is, and nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from prometheus_client import CollectorRegistry, generate_latest

import authgate_core as ag
from authgate_core.events import Decided, Notice
from authgate_core.keyring import KeySetHealth
from authgate_core.observers import Health, OpenTelemetry, Prometheus
from authgate_core.observers.metrics import METRICS
from authgate_core.revocation import FeedHealth, RevocationHealth

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"
PAGE = (REFERENCE / "metrics.md").read_text("utf-8")
SNIPPETS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
DASHBOARD: dict[str, Any] = json.loads((REFERENCE / "grafana-dashboard.json").read_text("utf-8"))

SUFFIXES = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_count", "_sum")}
SAMPLES = {f"{metric.name}{suffix}": metric for metric in METRICS for suffix in SUFFIXES[metric.kind]}
OWN = {"job", "le"}
"""Labels that Prometheus itself adds."""


def queries() -> list[str]:
    """What the dashboard and the alerts of the page ask."""
    panels = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
    return [*panels, *re.findall(r"expr: (.*)", PAGE)]


def selectors(query: str) -> Iterator[tuple[str, str]]:
    """Each metric that a query names, with what stands in the braces behind it."""
    yield from re.findall(r"(authgate_\w+)(?:\{(.*?)\})?", query)


class TestPrometheus:
    """The table and the dashboard are the code's."""

    def test_the_table(self) -> None:
        """Each metric by its name, its labels and its group, and no other."""
        rows = re.findall(r"^\| `(authgate_\w+)` \| (.*?) \| `(\w+)` \| \S", PAGE, re.MULTILINE)
        plain = {
            name.removesuffix("_total"): (re.findall(r"`(\w+)`", labels), group)
            for name, labels, group in rows
        }

        assert {metric.name: ([*metric.labels], metric.group) for metric in METRICS} == plain

    def test_every_label_is_explained(self) -> None:
        """With the set that its values are from."""
        explained = set(re.findall(r"^\| `(\w+)` \| [^|]+ \|$", PAGE, re.MULTILINE))

        assert {label for metric in METRICS for label in metric.labels} - {"status", "alarm"} == explained

    @pytest.mark.parametrize("query", queries())
    def test_queries_ask_for_what_there_is(self, query: str) -> None:
        """Of the dashboard and of the alerts: every metric, and every label that is matched or grouped by."""
        named = list(selectors(query))
        assert named
        for name, braces in named:
            labels = set(SAMPLES[name].labels) | OWN
            matched = set(re.findall(r"(\w+)=", braces))
            grouped = {label for group in re.findall(r"by \((.*?)\)", query) for label in group.split(", ")}
            assert set() == (matched | grouped) - labels

    def test_the_dashboard_shows_every_metric(self) -> None:
        """None is kept for nothing."""
        shown = {SAMPLES[name].name for query in queries() for name, _ in selectors(query)}

        assert {metric.name for metric in METRICS} == shown

    def test_panels_do_not_overlap(self) -> None:
        """Each has a place of its own on a grid of 24 columns."""
        taken: set[tuple[int, int]] = set()
        for panel in DASHBOARD["panels"]:
            place = panel["gridPos"]
            cells = {
                (x, y)
                for x in range(place["x"], place["x"] + place["w"])
                for y in range(place["y"], place["y"] + place["h"])
            }
            assert not taken & cells
            assert max(x for x, _ in cells) < 24
            taken |= cells


class TestOpenTelemetry:
    """The table of the page is the code's."""

    def test_the_table(self) -> None:
        """Every metric, with the attributes that its points have."""
        reader = InMemoryMetricReader()
        observer = OpenTelemetry(meter_provider=MeterProvider([reader]))
        observer.attend(gate := Ill())
        observer(Decided("granted", "bearer", "main", "ok", cached=True, duration=0.1))
        observer(Notice("breaker_open", "redis", "five failures"))
        data = reader.get_metrics_data()
        assert data is not None
        found = {
            metric.name: sorted(
                {name for point in metric.data.data_points for name in point.attributes or {}}
            )
            for metric in data.resource_metrics[0].scope_metrics[0].metrics
        }
        rows = re.findall(r"^\| `(authgate\.[\w.]+)` \| [^|]+ \| (.*?) \|$", PAGE, re.MULTILINE)

        assert gate.health().keys
        assert {name: sorted(re.findall(r"`(\w+)`", attributes)) for name, attributes in rows} == found


class Ill:
    """A gate that has everything that can be seen."""

    def health(self) -> Health:
        feed = FeedHealth(status="live", age=0.1, entries=0, limit=1)
        return Health(
            (KeySetHealth("main", None, "fresh", 1.0, 1, None),),
            (RevocationHealth(source="redis", status="ok", feed=feed),),
        )


class TestSnippets:
    """What the page shows runs."""

    def test_the_observer(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Pasted as it stands, and its metrics are in the registry of the process."""
        registry = CollectorRegistry()
        monkeypatch.setattr("prometheus_client.REGISTRY", registry)
        names: dict[str, Any] = {}
        exec(compile(SNIPPETS[0], "metrics.md", "exec"), names)
        with ag.Gate(names["config"]) as gate, pytest.raises(ag.MissingCredentials):
            gate.admit(ag.RequestView("GET", "/", ()), ag.is_user)

        assert b'authgate_decisions_total{code="credentials_missing"' in generate_latest(registry)

    def test_opentelemetry(self) -> None:
        """A gate is none the worse where the application has set up no SDK."""
        names: dict[str, Any] = {}
        exec(compile(SNIPPETS[1], "metrics.md", "exec"), names)
        with ag.Gate(names["config"]) as gate, pytest.raises(ag.MissingCredentials):
            gate.admit(ag.RequestView("GET", "/", ()), ag.is_user)

    def test_groups(self) -> None:
        """Those that the page switches on are groups."""
        (call,) = re.findall(r"Prometheus\(groups=(\[.*?\])\)", PAGE)

        Prometheus(groups=json.loads(call), registry=CollectorRegistry())
