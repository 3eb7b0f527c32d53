from concurrent.futures import ThreadPoolExecutor

import pytest

from authgate_core.clock import Clock, Instant
from authgate_core.testing import ManualClock


class TestManualClock:
    def test_stands_still(self) -> None:
        """Two looks at the clock see one moment."""
        clock: Clock = ManualClock()
        assert clock.now() == clock.now()

    def test_starts_where_told(self) -> None:
        """The first moment is the one given."""
        assert Instant(5.0, 7.0) == ManualClock(Instant(5.0, 7.0)).now()

    def test_advance_moves_both_clocks(self) -> None:
        """Time passes for token times and for cooldowns alike."""
        clock = ManualClock(Instant(100.0, 10.0))
        assert Instant(102.5, 12.5) == clock.advance(2.5)
        assert Instant(102.5, 12.5) == clock.now()

    def test_advance_refuses_the_past(self) -> None:
        """Monotonic time never goes back."""
        clock = ManualClock(Instant(100.0, 10.0))
        with pytest.raises(ValueError, match="jump_wall"):
            clock.advance(-1)
        assert Instant(100.0, 10.0) == clock.now()

    @pytest.mark.parametrize("seconds", [3600.0, -3600.0])
    def test_jump_wall_moves_the_wall_alone(self, seconds: float) -> None:
        """A corrected wall clock passes no monotonic time."""
        clock = ManualClock(Instant(10_000.0, 10.0))
        assert Instant(10_000.0 + seconds, 10.0) == clock.jump_wall(seconds)

    def test_shows_its_time(self) -> None:
        """A failing test prints where the clock stood."""
        assert "ManualClock(Instant(wall=1.0, mono=2.0))" == repr(ManualClock(Instant(1.0, 2.0)))

    def test_threads_lose_no_step(self) -> None:
        """Every step counts, whichever thread took it."""
        clock = ManualClock(Instant(0.0, 0.0))
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(lambda _: clock.advance(1.0), range(800)))
        assert Instant(800.0, 800.0) == clock.now()
