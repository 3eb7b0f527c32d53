"""The suite for revocation stores, held to an honest store and to dishonest ones."""

import asyncio
import fnmatch
import math
import time
from collections.abc import AsyncIterator, Callable, Hashable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

import pytest

from authgate_core.errors import AuthUnavailable, RevocationUnavailable
from authgate_core.principal import ProjectRef, Revocation, TokenRef
from authgate_core.testing.contracts import (
    AsyncRevocationOutageContract,
    AsyncRevocationStoreContract,
    OpenStore,
    RevocationOutageContract,
    RevocationStoreContract,
    WritableStore,
)
from authgate_core.testing.contracts.rows import ROWS, Row

pytest_plugins = ["pytester"]

Ref = TokenRef | ProjectRef


class _Honest:
    """The plainest store that keeps every promise: a list of entries that nothing leaves."""

    def __init__(self) -> None:
        self.entries: list[Revocation] = []

    def revoke(self, entry: Revocation) -> None:
        self.entries.append(entry)

    def is_revoked(self, ref: Ref) -> bool:
        return any(self.refuses(entry, ref) for entry in self.entries)

    def refuses(self, entry: Revocation, ref: Ref) -> bool:
        if isinstance(ref, ProjectRef):
            asked = entry.kind == "secret_version" and self.same(entry.value, ref.project_id)
            return asked and ref.secret_version < entry.version
        return self.is_about(entry, ref) and (entry.before is None or self.is_cut_off(entry, ref))

    def is_about(self, entry: Revocation, ref: TokenRef) -> bool:
        value = named(entry, ref)
        in_scope = (entry.issuer, entry.tenant) == (ref.issuer, ref.tenant)
        return in_scope and value is not None and self.same(entry.value, value)

    def same(self, written: str, asked: str) -> bool:
        return written == asked

    def is_cut_off(self, entry: Revocation, ref: TokenRef) -> bool:
        assert entry.before is not None
        if entry.except_session is not None and entry.except_session == ref.session_id:
            return False
        limit = math.floor(entry.before) + 1
        return ref.issued_at is None or min(ref.issued_at, ref.auth_time or ref.issued_at) < limit


def named(entry: Revocation, ref: TokenRef) -> str | None:
    """What the token has in the place that the entry names."""
    places = {
        "token": ref.name,
        "session": ref.session_id,
        "key": ref.kid,
        "subject": ref.subject,
        "client": ref.client_id,
        "tenant": "",
    }
    return places.get(entry.kind)


class _NeverRevokes(_Honest):
    def is_revoked(self, ref: Ref) -> bool:
        return False


class _AlwaysRevokes(_Honest):
    def is_revoked(self, ref: Ref) -> bool:
        return True


class _AnswersNumbers(_Honest):
    def is_revoked(self, ref: Ref) -> bool:
        return int(super().is_revoked(ref))  # type: ignore[return-value]  # the mistake under test


class _IgnoresIssuers(_Honest):
    def is_about(self, entry: Revocation, ref: TokenRef) -> bool:
        return entry.tenant == ref.tenant and entry.value == named(entry, ref)


class _IgnoresTenants(_Honest):
    def is_about(self, entry: Revocation, ref: TokenRef) -> bool:
        return entry.issuer == ref.issuer and entry.value == named(entry, ref)


class _TakesNoTenantForAny(_Honest):
    def is_about(self, entry: Revocation, ref: TokenRef) -> bool:
        tenants = (None, ref.tenant)
        return entry.issuer == ref.issuer and entry.tenant in tenants and entry.value == named(entry, ref)


class _JoinsNames(_Honest):
    def is_about(self, entry: Revocation, ref: TokenRef) -> bool:
        written = f"{entry.issuer}:{entry.tenant}:{entry.value}"
        return written == f"{ref.issuer}:{ref.tenant}:{named(entry, ref)}"


class _MixesKinds(_Honest):
    def is_about(self, entry: Revocation, ref: TokenRef) -> bool:
        every = (ref.name, ref.session_id, ref.kid, ref.subject, ref.client_id)
        here = (entry.issuer, entry.tenant) == (ref.issuer, ref.tenant)
        return here and (entry.value in every or entry.value == named(entry, ref))


class _SpellsAbsence(_Honest):
    def is_about(self, entry: Revocation, ref: TokenRef) -> bool:
        here = (entry.issuer, entry.tenant) == (ref.issuer, ref.tenant)
        return here and entry.value == str(named(entry, ref))


class _FoldsCase(_Honest):
    def same(self, written: str, asked: str) -> bool:
        return written.lower() == asked.lower()


class _MatchesPatterns(_Honest):
    def same(self, written: str, asked: str) -> bool:
        return fnmatch.fnmatchcase(asked, written)


class _CutsNames(_Honest):
    def same(self, written: str, asked: str) -> bool:
        return written[:255] == asked[:255] and len(written) <= 255


class _ComparesMomentsExactly(_Honest):
    def is_cut_off(self, entry: Revocation, ref: TokenRef) -> bool:
        assert entry.before is not None
        return super().is_cut_off(entry, ref) and (ref.issued_at is None or ref.issued_at < entry.before)


class _ForgetsLogins(_Honest):
    def is_cut_off(self, entry: Revocation, ref: TokenRef) -> bool:
        assert entry.before is not None
        late = ref.issued_at is not None and ref.issued_at >= math.floor(entry.before) + 1
        return super().is_cut_off(entry, ref) and not late


class _PassesTheUndated(_Honest):
    def is_cut_off(self, entry: Revocation, ref: TokenRef) -> bool:
        return ref.issued_at is not None and super().is_cut_off(entry, ref)


class _DatesByLogin(_Honest):
    def is_cut_off(self, entry: Revocation, ref: TokenRef) -> bool:
        dated = ref.issued_at is not None or ref.auth_time is None
        return dated and super().is_cut_off(entry, ref)


class _SparesNobody(_Honest):
    def is_cut_off(self, entry: Revocation, ref: TokenRef) -> bool:
        assert entry.before is not None
        return ref.issued_at is None or min(ref.issued_at, ref.auth_time or ref.issued_at) < entry.before + 1


class _SparesTheSessionless(_Honest):
    def is_cut_off(self, entry: Revocation, ref: TokenRef) -> bool:
        sessionless = entry.except_session is not None and ref.session_id is None
        return not sessionless and super().is_cut_off(entry, ref)


class _KeepsTheLast(_Honest):
    """One entry for each name, the last: what a plain SET in Redis does."""

    def key(self, entry: Revocation) -> Hashable:
        return entry.kind, entry.issuer, entry.tenant, entry.value

    def revoke(self, entry: Revocation) -> None:
        self.entries = [kept for kept in self.entries if self.key(kept) != self.key(entry)]
        super().revoke(entry)


class _KeepsTheLastOfAMoment(_KeepsTheLast):
    def key(self, entry: Revocation) -> Hashable:
        return super().key(entry), entry.before, entry.version, entry.expires_at


class _KeepsTheHighest(_Honest):
    """One cut-off for each name, the highest: its exception spares what an earlier one refuses."""

    def revoke(self, entry: Revocation) -> None:
        name = (entry.kind, entry.issuer, entry.tenant, entry.value)
        same = [e for e in self.entries if name == (e.kind, e.issuer, e.tenant, e.value)]
        highest = max([*same, entry], key=lambda e: (e.before or 0, e.version))
        self.entries = [*(e for e in self.entries if e not in same), highest]


class _EndsTogether(_Honest):
    """An expiry for the name instead of the entry: writing one that is over ends all."""

    def revoke(self, entry: Revocation) -> None:
        if entry.expires_at is not None and entry.expires_at < time.time():
            name = (entry.kind, entry.value)
            self.entries = [kept for kept in self.entries if name != (kept.kind, kept.value)]
        else:
            super().revoke(entry)


class _RemembersAnswers(_Honest):
    def __init__(self) -> None:
        super().__init__()
        self.answers: dict[Ref, bool] = {}

    def is_revoked(self, ref: Ref) -> bool:
        return self.answers.setdefault(ref, super().is_revoked(ref))


class _LosesRaces(_Honest):
    def revoke(self, entry: Revocation) -> None:
        before = self.entries
        time.sleep(0.0005)
        self.entries = [*before, entry]


DISHONEST: list[type[_Honest]] = [
    _NeverRevokes,
    _AlwaysRevokes,
    _AnswersNumbers,
    _IgnoresIssuers,
    _IgnoresTenants,
    _TakesNoTenantForAny,
    _JoinsNames,
    _MixesKinds,
    _SpellsAbsence,
    _FoldsCase,
    _MatchesPatterns,
    _CutsNames,
    _ComparesMomentsExactly,
    _ForgetsLogins,
    _PassesTheUndated,
    _DatesByLogin,
    _SparesNobody,
    _SparesTheSessionless,
    _KeepsTheLast,
    _KeepsTheLastOfAMoment,
    _KeepsTheHighest,
    _EndsTogether,
]


class _Direct:
    """A driver of the suite's tests without pytest's fixtures."""

    def __init__(self, store: WritableStore) -> None:
        self.is_revoked = store.is_revoked
        self.revoke = store.revoke

    def revoke_at_once(self, entries: Sequence[Revocation]) -> None:
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(self.revoke, entries))


class _AsyncHonest:
    """``_Honest`` in the other colour."""

    def __init__(self) -> None:
        self.store = _Honest()
        self.loop = asyncio.get_running_loop()
        self.is_closed = False

    async def is_revoked(self, ref: Ref) -> bool:
        assert self.loop is asyncio.get_running_loop()
        return self.store.is_revoked(ref)

    async def revoke(self, entry: Revocation) -> None:
        await asyncio.sleep(0)
        self.store.revoke(entry)


class _AsyncLosesRaces(_AsyncHonest):
    async def revoke(self, entry: Revocation) -> None:
        before = self.store.entries
        await asyncio.sleep(0)
        self.store.entries = [*before, entry]


class TestHonestStore(RevocationStoreContract):
    @pytest.fixture
    def store(self) -> _Honest:
        """An honest one."""
        return _Honest()


class TestAsyncHonestStore(AsyncRevocationStoreContract):
    @pytest.fixture
    def open_store(self) -> OpenStore:
        """Opens an honest one."""

        @asynccontextmanager
        async def opened() -> AsyncIterator[_AsyncHonest]:
            store = _AsyncHonest()
            yield store
            assert store.loop is asyncio.get_running_loop()

        return opened


def broken_rows(store: Callable[[], WritableStore], rows: Iterable[Row] = ROWS) -> list[str]:
    """The rows that the suite finds broken."""
    broken = []
    for row in rows:
        try:
            RevocationStoreContract().test_answers(_Direct(store()), row)
        except AssertionError:
            broken.append(row.promise)
    return broken


class TestTheRows:
    @pytest.mark.parametrize("store", DISHONEST)
    def test_find_every_mistake(self, store: type[_Honest]) -> None:
        """A store with one mistake breaks at least one row."""
        assert [] != broken_rows(store)

    def test_name_the_row(self) -> None:
        """The message says which promise was broken, and how it was answered."""
        (row,) = [row for row in ROWS if row.promise == "token: revokes"]
        with pytest.raises(AssertionError, match=r"token: revokes: \[False, False\]"):
            RevocationStoreContract().test_answers(_Direct(_NeverRevokes()), row)

    def test_each_row_has_a_name_of_its_own(self) -> None:
        """So that a failing test can be asked for by it."""
        assert len(ROWS) == len({str(row) for row in ROWS})

    def test_a_mistake_breaks_what_it_concerns(self) -> None:
        """Rows tell mistakes apart: one about moments breaks promises of cut-offs alone."""
        kinds = {promise.partition(":")[0] for promise in broken_rows(_PassesTheUndated)}
        assert {"subject", "client", "tenant"} == kinds


class TestTheOtherPromises:
    @pytest.mark.parametrize(
        ("store", "order"),
        [
            (_KeepsTheLast, -1),
            (_KeepsTheLastOfAMoment, -1),
            (_KeepsTheHighest, 1),
            (_EndsTogether, 1),
        ],
    )
    def test_a_refusal_that_another_entry_takes_away(self, store: type[_Honest], order: int) -> None:
        """Law 5.11."""
        with pytest.raises(AssertionError, match="took these refusals away"):
            RevocationStoreContract().test_entries_only_add_refusals(_Direct(store()), order)

    def test_an_answer_that_is_remembered(self) -> None:
        """Law 5.1."""
        with pytest.raises(AssertionError, match=r"not revoked once revoke\(\) returned"):
            RevocationStoreContract().test_a_written_entry_counts_at_once(_Direct(_RemembersAnswers()))

    def test_an_entry_that_is_lost_between_threads(self) -> None:
        """Writers do not overwrite each other."""
        with pytest.raises(AssertionError, match="were lost"):
            RevocationStoreContract().test_entries_written_at_once_are_all_kept(_Direct(_LosesRaces()))


class _Unreachable:
    """A store whose server is gone, and which says so."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error or RevocationUnavailable("gone")

    def is_revoked(self, ref: Ref) -> bool:
        raise self.error

    def revoke(self, entry: Revocation) -> None:
        raise self.error


class TestUnreachableStore(RevocationOutageContract):
    @pytest.fixture
    def store(self) -> _Unreachable:
        """One without a server."""
        return _Unreachable()


class TestAsyncUnreachableStore(AsyncRevocationOutageContract):
    @pytest.fixture
    def open_store(self) -> OpenStore:
        """Opens one without a server."""

        class _Gone(_AsyncHonest):
            async def is_revoked(self, ref: Ref) -> bool:
                raise AuthUnavailable("gone")

            async def revoke(self, entry: Revocation) -> None:
                raise AuthUnavailable("gone")

        @asynccontextmanager
        async def opened() -> AsyncIterator[_AsyncHonest]:
            yield _Gone()

        return opened


class TestTheOutageSuite:
    def test_a_store_that_guesses(self) -> None:
        """Law 5.3: neither answer will do."""
        for store in (_NeverRevokes(), _AlwaysRevokes()):
            with pytest.raises(pytest.fail.Exception):
                RevocationOutageContract().test_a_check_is_not_answered(_Direct(store))
            with pytest.raises(pytest.fail.Exception):
                RevocationOutageContract().test_a_write_is_not_confirmed(_Direct(store))

    def test_a_store_that_lets_its_library_speak(self) -> None:
        """Law 1.3: another exception would be a bug, and reach the framework."""
        with pytest.raises(ConnectionError):
            RevocationOutageContract().test_a_check_is_not_answered(_Direct(_Unreachable(ConnectionError())))


WITH_A_MISTAKE = """
import asyncio
from contextlib import asynccontextmanager

import pytest

from authgate_core.testing.contracts import AsyncRevocationStoreContract, RevocationStoreContract


class Forgetful:
    def __init__(self):
        self.entries = []

    async def is_revoked(self, ref):
        return False

    async def revoke(self, entry):
        before = self.entries
        await asyncio.sleep(0)
        self.entries = [*before, entry]


class TestForgetful(AsyncRevocationStoreContract):
    @pytest.fixture
    def open_store(self):
        @asynccontextmanager
        async def opened():
            yield Forgetful()

        return opened


class TestNothing(RevocationStoreContract):
    pass
"""


WITHOUT_FIXTURES = """
import pytest

from authgate_core.testing import contracts


class TestStore(contracts.AsyncRevocationOutageContract):
    pass


class TestDirectory(contracts.ProjectDirectoryContract):
    pass


class TestDirectoryThatKnowsNobody(contracts.ProjectDirectoryContract):
    @pytest.fixture
    def directory(self):
        class Directory:
            look_up = None

        return Directory()


class TestAsyncDirectory(contracts.AsyncProjectDirectoryOutageContract):
    pass


class TestHttp(contracts.HttpPortContract):
    pass
"""


class TestUnderPytest:
    def test_a_suite_without_a_port_says_what_is_missing(self, pytester: pytest.Pytester) -> None:
        """Nothing passes by not being tried."""
        pytester.makepyfile(WITHOUT_FIXTURES)
        outcome = pytester.runpytest_inprocess("-q", "--tb=line", "-p", "no:cacheprovider")
        assert {"errors"} == set(outcome.parseoutcomes())
        text = str(outcome.stdout)
        for fixture in ("open_store", "directory", "credentials", "open_directory", "http"):
            assert f"has to override the fixture `{fixture}`" in text

    def test_a_suite_reports_what_is_broken(self, pytester: pytest.Pytester) -> None:
        """Collected by pytest: a test for each row, failures for what is broken, errors for no fixture."""
        pytester.makepyfile(WITH_A_MISTAKE)
        outcome = pytester.runpytest_inprocess("-q", "--tb=line", "-p", "no:cacheprovider")
        held = sum(not row.revoked for row in ROWS)
        outcome.assert_outcomes(passed=held, failed=len(ROWS) - held + 4, errors=len(ROWS) + 4)
        outcome.stdout.fnmatch_lines(["*TestNothing has to override the fixture `store`*"])
