"""What a gate says where an endpoint refuses the gate itself (Law 1.6)."""

from __future__ import annotations

from authgate_core.errors import EndpointRefused, EndpointUnavailable
from authgate_core.events import Decided, Journal, Notice
from authgate_core.gate.reports import Reports
from authgate_core.testing import ManualClock


class TestAlarms:
    def test_once_a_minute_of_each_issuer(self) -> None:
        """A person has to act, and need not be told of every request."""
        heard: list[Decided | Notice] = []
        clock = ManualClock()
        reports = Reports(Journal(heard.append), clock, {"a", "b"})
        for issuer, seconds in (("a", 0.0), ("b", 0.0), ("a", 59.0), ("a", 1.0)):
            now = clock.advance(seconds)
            reports.refused(EndpointRefused("the client is not known", issuer=issuer), now, ())
        alarm = Notice("endpoint_refused", "a", "the client is not known", alarm=True)
        notices = [event for event in heard if isinstance(event, Notice)]
        assert [alarm, Notice("endpoint_refused", "b", alarm.text, alarm=True), alarm] == notices
        assert 4 == len(heard) - len(notices)

    def test_not_of_an_outage(self) -> None:
        """Which passes by itself."""
        heard: list[Decided | Notice] = []
        clock = ManualClock()
        reports = Reports(Journal(heard.append), clock, {"a"})
        reports.refused(EndpointUnavailable("no connection", issuer="a"), clock.now(), ())
        assert [Decided] == [type(event) for event in heard]
