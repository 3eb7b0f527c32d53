"""What a gate remembers of a project directory."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from authgate_core.cache import Ask, Barred, Hit, HitAndRefresh, Limited, ProjectCache, Refused
from authgate_core.clock import Instant
from authgate_core.credentials import AppCredentials
from authgate_core.principal import Project
from authgate_core.secret import Secret

SHOP = Project(id="shop")
SECRET = "a-secret-that-nobody-may-ever-see-again"


def _at(seconds: float) -> Instant:
    """Wall-clock time goes backwards here: nothing may depend on it."""
    return Instant(wall=-seconds, mono=1000.0 + seconds)


def _cache(positive: int = 100, negative: int = 100) -> ProjectCache:
    return ProjectCache(bytes(32), positive=positive, negative=negative)


def _confirmed(at: float = 0.0, key: bytes = b"k", app_id: str = "shop") -> ProjectCache:
    cache = _cache()
    cache.answered(key, app_id, SHOP, asked=_at(at), now=_at(at))
    return cache


class TestKey:
    def test_names_both(self) -> None:
        """Law 6.2: app id and secret are told apart by their lengths, whatever they hold."""
        pairs = [("ab", "c"), ("a", "bc"), ("", "abc"), ("abc", ""), ("a\0", "bc"), ("\udc80", "c")]
        keys = {_cache().key(AppCredentials(app_id, Secret(secret))) for app_id, secret in pairs}
        assert len(pairs) == len(keys)

    def test_is_keyed(self) -> None:
        """Law 6.2: another process gives the same credentials another name."""
        credentials = AppCredentials("shop", Secret(SECRET))
        first, second = ProjectCache(b"a" * 16), ProjectCache(b"b" * 16)
        assert first.key(credentials) == first.key(credentials) != second.key(credentials)

    def test_randomness(self) -> None:
        """A hash key that could be guessed is refused."""
        with pytest.raises(ValueError, match="at least 16 bytes, not 15"):
            ProjectCache(bytes(15))

    def test_nothing_is_kept(self) -> None:
        """Law 6.2: the secret is in no table and no repr of the cache."""
        cache = _cache()
        key = cache.key(AppCredentials("shop", Secret(SECRET)))
        cache.answered(key, "shop", SHOP, asked=_at(0), now=_at(0))
        held = repr([getattr(cache, name) for name in ProjectCache.__slots__])
        assert SECRET not in held
        assert "ProjectCache(1 good, 0 refused)" == repr(cache)


class TestPositive:
    def test_unknown(self) -> None:
        """What was never answered is asked."""
        assert Ask() == _cache().plan(b"k", "shop", _at(0))

    @pytest.mark.parametrize(
        ("age", "plan"),
        [
            (0.0, Hit(SHOP)),
            (59.9, Hit(SHOP)),
            (60.0, HitAndRefresh(SHOP)),
            (179.9, HitAndRefresh(SHOP)),
            (180.0, Ask()),
            (900.0, Ask()),
            (901.0, Ask()),
        ],
    )
    def test_age(self, age: float, plan: object) -> None:
        """Law 6.2: fresh for 60 s, then asked again in the background; after long idle before it counts."""
        assert plan == _confirmed().plan(b"k", "shop", _at(age))

    @pytest.mark.parametrize(
        ("since_outage", "plan"),
        [
            (0.0, Hit(SHOP)),
            (4.9, Hit(SHOP)),
            (5.0, HitAndRefresh(SHOP)),
            (59.9, HitAndRefresh(SHOP)),
            (60.0, Ask()),
        ],
    )
    def test_outage(self, since_outage: float, plan: object) -> None:
        """Law 6.2: while the directory is unreachable an old answer goes on, asked again at times."""
        cache = _confirmed()
        cache.failed(b"k", _at(500), outage=True)
        assert plan == cache.plan(b"k", "shop", _at(500 + since_outage))

    @pytest.mark.parametrize(("since", "plan"), [(0.0, Hit(SHOP)), (5.0, HitAndRefresh(SHOP))])
    def test_retry(self, since: float, plan: object) -> None:
        """After an attempt that failed the next one waits."""
        cache = _confirmed()
        cache.failed(b"k", _at(61), outage=False)
        assert plan == cache.plan(b"k", "shop", _at(61 + since))

    def test_bug_is_no_outage(self) -> None:
        """Law 1.5: a directory that fails with a bug does not lengthen the life of its answers."""
        cache = _confirmed()
        cache.failed(b"k", _at(200), outage=False)
        assert Ask() == cache.plan(b"k", "shop", _at(201))

    def test_earlier_outage_stands(self) -> None:
        """A bug after an outage does not end it."""
        cache = _confirmed()
        cache.failed(b"k", _at(200), outage=True)
        cache.failed(b"k", _at(210), outage=False)
        assert HitAndRefresh(SHOP) == cache.plan(b"k", "shop", _at(220))

    def test_fifteen_minutes(self) -> None:
        """Law 6.2: no outage makes an answer live longer than 15 min."""
        cache = _confirmed()
        cache.failed(b"k", _at(899), outage=True)
        assert Hit(SHOP) == cache.plan(b"k", "shop", _at(900))
        assert Ask() == cache.plan(b"k", "shop", _at(900.1))

    def test_good_answer_renews(self) -> None:
        """A good answer begins anew, and its age counts from the question."""
        cache = _confirmed()
        cache.answered(b"k", "shop", SHOP, asked=_at(100), now=_at(130))
        assert Hit(SHOP) == cache.plan(b"k", "shop", _at(159))
        assert HitAndRefresh(SHOP) == cache.plan(b"k", "shop", _at(160))

    def test_older_question(self) -> None:
        """The answer to an older question does not replace a newer one."""
        cache = _confirmed(at=50)
        cache.answered(b"k", "shop", Project(id="old"), asked=_at(40), now=_at(60))
        assert Hit(SHOP) == cache.plan(b"k", "shop", _at(60))

    def test_failure_of_the_unknown(self) -> None:
        """Law 7.3: an outage is never cached."""
        cache = _cache()
        cache.failed(b"k", _at(0), outage=True)
        assert Ask() == cache.plan(b"k", "shop", _at(0))


class TestLastGood:
    @pytest.mark.parametrize(("age", "project"), [(0.0, SHOP), (900.0, SHOP), (900.1, None)])
    def test_age(self, age: float, project: Project | None) -> None:
        """Law 6.2: what cannot be asked now was good at most 15 min ago."""
        assert project == _confirmed().last_good(b"k", _at(age))

    def test_age_when_the_attempt_ended(self) -> None:
        """Law 6.2: the time that the attempt took counts too."""
        cache = _confirmed()
        cache.failed(b"k", _at(905), outage=True)
        assert cache.last_good(b"k", _at(890)) is None

    def test_unknown(self) -> None:
        """Nothing is good of itself."""
        assert _cache().last_good(b"k", _at(0)) is None


class TestNegative:
    @pytest.mark.parametrize(("age", "plan"), [(0.0, Refused()), (9.9, Refused()), (10.0, Ask())])
    def test_age(self, age: float, plan: object) -> None:
        """Law 6.2: a refusal is kept for 10 s."""
        cache = _cache()
        cache.answered(b"k", "shop", None, asked=_at(0), now=_at(0))
        assert plan == cache.plan(b"k", "shop", _at(age))

    def test_ends_a_positive(self) -> None:
        """Law 6.2: a definite refusal ends a good answer at once, for good and for outages."""
        cache = _confirmed()
        cache.answered(b"k", "shop", None, asked=_at(1), now=_at(1))
        assert Refused() == cache.plan(b"k", "shop", _at(1))
        assert cache.last_good(b"k", _at(1)) is None
        assert Ask() == cache.plan(b"k", "shop", _at(11))

    def test_is_ended_by_a_positive(self) -> None:
        """A good answer to a later question ends a refusal."""
        cache = _cache()
        cache.answered(b"k", "shop", None, asked=_at(0), now=_at(1))
        cache.answered(b"k", "shop", SHOP, asked=_at(2), now=_at(3))
        assert Hit(SHOP) == cache.plan(b"k", "shop", _at(3))

    def test_overtaken(self) -> None:
        """A yes to a question from before the refusal is not kept, as when two event loops ask."""
        cache = _cache()
        cache.answered(b"k", "shop", None, asked=_at(1), now=_at(2))
        cache.answered(b"k", "shop", SHOP, asked=_at(1.5), now=_at(3))
        assert Refused() == cache.plan(b"k", "shop", _at(3))

    def test_overtaken_twice(self) -> None:
        """Nor is it where the refusal was answered by a yes that had to go since."""
        cache = _cache(positive=1)
        cache.answered(b"k", "shop", None, asked=_at(1), now=_at(2))
        cache.answered(b"k", "shop", SHOP, asked=_at(3), now=_at(3))
        cache.answered(b"other", "shop", SHOP, asked=_at(4), now=_at(4))
        cache.answered(b"k", "shop", SHOP, asked=_at(1), now=_at(5))
        assert Ask() == cache.plan(b"k", "shop", _at(5))

    def test_committed_late(self) -> None:
        """Of two refusals the later one counts, in whatever order they are committed."""
        cache = _cache()
        cache.answered(b"k", "shop", None, asked=_at(0), now=_at(5))
        cache.answered(b"k", "shop", None, asked=_at(0), now=_at(4))
        cache.answered(b"k", "shop", SHOP, asked=_at(4.5), now=_at(6))
        assert Refused() == cache.plan(b"k", "shop", _at(6))

    def test_another_key(self) -> None:
        """A refusal says nothing of other credentials."""
        cache = _confirmed()
        cache.answered(b"other", "shop", None, asked=_at(1), now=_at(1))
        assert Hit(SHOP) == cache.plan(b"k", "shop", _at(1))


class TestBarred:
    @pytest.mark.parametrize(("age", "plan"), [(0.0, Barred()), (9.9, Barred()), (10.0, Ask())])
    def test_age(self, age: float, plan: object) -> None:
        """Law 6.2: that a project may not use this service is a refusal, and kept as long as any."""
        cache = _cache()
        cache.barred(b"k", _at(0))
        assert plan == cache.plan(b"k", "shop", _at(age))

    def test_ends_a_positive(self) -> None:
        """Law 6.2: and a definite one, also where an outage follows."""
        cache = _confirmed()
        cache.barred(b"k", _at(1))
        cache.failed(b"k", _at(2), outage=True)
        assert Barred() == cache.plan(b"k", "shop", _at(2))
        assert cache.last_good(b"k", _at(2)) is None

    def test_is_no_failed_attempt(self) -> None:
        """Law 6.6: whoever knows the secret guesses nothing, so neither limit is drawn on."""
        for cache in (_cache(), _confirmed()):
            for number in range(50):
                cache.barred(f"{number}".encode(), _at(1))
            assert Ask() == cache.plan(b"new", "shop", _at(1))
            assert Ask() == cache.plan(b"new", "stranger", _at(1))

    def test_the_last_word_counts(self) -> None:
        """A later refusal of either kind takes the place of the other."""
        cache = _cache()
        cache.barred(b"k", _at(0))
        cache.answered(b"k", "shop", None, asked=_at(1), now=_at(1))
        assert Refused() == cache.plan(b"k", "shop", _at(1))
        cache.barred(b"k", _at(2))
        assert Barred() == cache.plan(b"k", "shop", _at(2))

    def test_committed_late(self) -> None:
        """A yes to a question from before it is not kept; one to a later question ends it."""
        cache = _cache()
        cache.barred(b"k", _at(2))
        cache.barred(b"k", _at(1))
        cache.answered(b"k", "shop", SHOP, asked=_at(1.5), now=_at(3))
        assert Barred() == cache.plan(b"k", "shop", _at(3))
        cache.answered(b"k", "shop", SHOP, asked=_at(4), now=_at(4))
        assert Hit(SHOP) == cache.plan(b"k", "shop", _at(4))

    def test_shares_the_table(self) -> None:
        """Law 6.2: it is bounded with the refusals, and one that had to go keeps an older yes out."""
        cache = _cache(negative=1)
        cache.barred(b"a", _at(2))
        cache.answered(b"b", "shop", None, asked=_at(3), now=_at(3))
        cache.answered(b"a", "shop", SHOP, asked=_at(1), now=_at(4))
        assert Ask() == cache.plan(b"a", "shop", _at(4))


class TestBounds:
    def test_oldest_out(self) -> None:
        """Law 6.2: both tables are bounded, apart; the oldest answer goes, and a renewed one is young."""
        cache = _cache(positive=2, negative=2)
        for second, name in enumerate([b"a", b"b", b"a", b"c"]):
            cache.answered(name, "shop", SHOP, asked=_at(second), now=_at(second))
        for second, name in enumerate([b"x", b"y", b"x", b"z"], start=4):
            cache.answered(name, "shop", None, asked=_at(second), now=_at(second))
        plans = {name: cache.plan(name, "shop", _at(8)) for name in (b"a", b"b", b"c", b"x", b"y", b"z")}
        assert {
            b"a": Hit(SHOP),
            b"b": Ask(),
            b"c": Hit(SHOP),
            b"x": Refused(),
            b"y": Ask(),
            b"z": Refused(),
        } == plans

    def test_forgotten_refusal(self) -> None:
        """A refusal that had to go still keeps an older yes out."""
        cache = _cache(negative=1)
        cache.answered(b"a", "shop", None, asked=_at(1), now=_at(2))
        cache.answered(b"b", "shop", None, asked=_at(3), now=_at(3))
        cache.answered(b"a", "shop", SHOP, asked=_at(1), now=_at(4))
        assert Ask() == cache.plan(b"a", "shop", _at(4))


def _fail(cache: ProjectCache, app_id: str, number: int, at: float) -> None:
    cache.answered(f"{app_id}{number}".encode(), app_id, None, asked=_at(at), now=_at(at))


def _wait(cache: ProjectCache, at: float = 0.0) -> float:
    plan = cache.plan(b"new", "shop", _at(at))
    assert isinstance(plan, Limited)
    return plan.retry_after


class TestLimits:
    def test_of_a_gate(self) -> None:
        """Law 6.6: app ids that were never confirmed share ten failures a second."""
        cache = _cache()
        for number in range(10):
            assert Ask() == cache.plan(b"new", f"app{number}", _at(0))
            _fail(cache, f"app{number}", number, 0)
        assert Limited(0.1) == cache.plan(b"new", "another", _at(0))
        assert Ask() == cache.plan(b"new", "another", _at(0.1))

    def test_of_an_app_id(self) -> None:
        """Law 6.6: an app id that was confirmed has ten failures a second of its own."""
        cache = _confirmed()
        cache.answered(b"till", "till", SHOP, asked=_at(0), now=_at(0))
        for number in range(10):
            _fail(cache, "shop", number, 0)
        assert isinstance(cache.plan(b"new", "shop", _at(0)), Limited)
        assert [Ask(), Ask()] == [cache.plan(b"new", app_id, _at(0)) for app_id in ("till", "unknown")]

    def test_known_are_not_shut_out(self) -> None:
        """Made-up app ids do not shut out a project that is known, nor use its table up."""
        cache = _confirmed()
        for number in range(1000):
            _fail(cache, f"made-up{number}", number, 0)
        assert Ask() == cache.plan(b"new secret", "shop", _at(0))
        assert 1 == len(cache._buckets)

    def test_cached_are_not_limited(self) -> None:
        """Law 6.6: what is in the cache is answered from it, and an old answer is asked again."""
        cache = _confirmed()
        _fail(cache, "wrong", 0, 500)
        for number in range(20):
            _fail(cache, "shop", number, 500)
        assert Ask() == cache.plan(b"k", "shop", _at(500))
        assert Refused() == cache.plan(b"wrong0", "wrong", _at(500))

    def test_full_table(self) -> None:
        """Law 6.6: of too many known app ids the oldest share the gate's limit: less is allowed, not more."""
        cache = _cache(positive=1)
        for app_id in ("shop", "till"):
            cache.answered(app_id.encode(), app_id, SHOP, asked=_at(0), now=_at(0))
        for number in range(10):
            _fail(cache, f"made-up{number}", number, 0)
        assert isinstance(cache.plan(b"new", "shop", _at(0)), Limited)
        assert Ask() == cache.plan(b"new", "till", _at(0))

    def test_success_does_not_refill(self) -> None:
        """Good answers between the failures give no failure back."""
        cache = _confirmed()
        for number in range(10):
            _fail(cache, "shop", number, 1)
        cache.answered(b"k", "shop", SHOP, asked=_at(1), now=_at(1))
        assert isinstance(cache.plan(b"new", "shop", _at(1)), Limited)

    def test_debt(self) -> None:
        """Calls that were under way together may fail together; that is paid back."""
        cache = _cache()
        for number in range(32):
            _fail(cache, "shop", number, 0)
        assert pytest.approx(2.3) == _wait(cache)

    def test_time_out_of_order(self) -> None:
        """A thread that reads the clock before another one but commits after it gains nothing."""
        cache = _cache()
        for number in range(10):
            _fail(cache, "shop", number, 10)
        _fail(cache, "shop", 10, 9)
        assert pytest.approx(0.2) == _wait(cache, 10)

    @given(st.lists(st.tuples(st.floats(0, 0.5), st.sampled_from(["shop", "till", "a", "b"])), max_size=120))
    def test_rate(self, attempts: list[tuple[float, str]]) -> None:
        """Law 6.6: in any time t at most 10 + 10 t attempts fail, of a known app id and of all others."""
        cache = _confirmed()
        cache.answered(b"till", "till", SHOP, asked=_at(0), now=_at(0))
        failed: dict[str, list[float]] = {"shop": [], "till": [], "": []}
        time = 0.0
        for number, (pause, app_id) in enumerate(attempts):
            time += pause
            if cache.plan(f"{number}".encode(), app_id, _at(time)) == Ask():
                _fail(cache, app_id, number, time)
                failed[app_id if app_id in failed else ""].append(time)
        for times in failed.values():
            for first, start in enumerate(times):
                for last in range(first, len(times)):
                    assert last - first + 1 <= 10 + 10 * (times[last] - start) + 1e-6


@dataclass
class _Model:
    """What is known of one credential, by a slower way of keeping it."""

    refused: float = -inf
    yes: list[tuple[float, Project]] = field(default_factory=list)
    tried: float = -inf
    outage: float = -inf


_KEYS = st.sampled_from(["a1", "a2", "b1", "c1", "d1"])


class ProjectCacheMachine(RuleBasedStateMachine):
    """Any order of answers, failures and pauses, with tables that are always too small."""

    @initialize()
    def start(self) -> None:
        """An empty cache."""
        self.cache = _cache(positive=3, negative=2)
        self.time = 0.0
        self.model = {key: _Model() for key in ("a1", "a2", "b1", "c1", "d1")}
        self.number = 0

    @rule(pause=st.sampled_from([0.01, 1.0, 4.0, 9.0, 31.0, 59.0, 130.0, 500.0]))
    def wait(self, pause: float) -> None:
        """Time passes."""
        self.time += pause

    @rule(key=_KEYS)
    def refuse(self, key: str) -> None:
        """The directory says no."""
        self.cache.answered(key.encode(), key[0], None, asked=_at(self.time), now=_at(self.time))
        self.model[key] = _Model(refused=self.time)

    @rule(key=_KEYS)
    def bar(self, key: str) -> None:
        """The directory says that the project may not use this service."""
        self.cache.barred(key.encode(), _at(self.time))
        self.model[key] = _Model(refused=self.time)

    @rule(key=_KEYS, took=st.sampled_from([0.0, 0.5, 5.0, 40.0]))
    def confirm(self, key: str, took: float) -> None:
        """The directory says yes to a question of some time ago."""
        self.number += 1
        project = Project(id=f"{key}-{self.number}")
        asked = self.time - took
        self.cache.answered(key.encode(), key[0], project, asked=_at(asked), now=_at(self.time))
        if asked > self.model[key].refused:
            self.model[key].yes.append((asked, project))

    @rule(key=_KEYS, outage=st.booleans())
    def fail(self, key: str, outage: bool) -> None:
        """The directory gives no answer."""
        self.cache.failed(key.encode(), _at(self.time), outage=outage)
        self.model[key].tried = self.time
        if outage:
            self.model[key].outage = self.time

    @invariant()
    def bounded(self) -> None:
        """Law 6.2: no table is larger than it may be."""
        if hasattr(self, "cache"):
            sizes = [len(getattr(self.cache, name)) for name in ("_yes", "_buckets", "_no")]
            assert all(size <= bound for size, bound in zip(sizes, (3, 3, 2), strict=True))

    @invariant()
    def good_is_good(self) -> None:
        """Law 6.2: what is used was confirmed since the last refusal and not 15 min ago, or has a reason."""
        for key, model in getattr(self, "model", {}).items():
            plan = self.cache.plan(key.encode(), key[0], _at(self.time))
            last = self.cache.last_good(key.encode(), _at(self.time))
            used = plan.project if isinstance(plan, (Hit, HitAndRefresh)) else last
            if used is None:
                continue
            (asked,) = [asked for asked, project in model.yes if project == used]
            assert asked > model.refused
            assert self.time - asked <= 900
            if isinstance(plan, (Hit, HitAndRefresh)):
                assert self.time - asked < 180 or self.time - model.outage < 60
            if isinstance(plan, Hit):
                assert self.time - asked < 60 or self.time - model.tried < 5

    @invariant()
    def refusals_are_short(self) -> None:
        """Law 6.2: a refusal is repeated for 10 s only, and only for what was refused."""
        for key, model in getattr(self, "model", {}).items():
            if self.cache.plan(key.encode(), key[0], _at(self.time)) == Refused():
                assert self.time - model.refused < 10


ProjectCacheMachine.TestCase.settings = settings(max_examples=50, stateful_step_count=30, deadline=None)
TestProjectCacheMachine = ProjectCacheMachine.TestCase
