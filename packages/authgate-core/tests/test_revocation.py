"""What can be revoked, how it is named, judged, merged and how long it is kept."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import replace
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authgate_core.clock import Instant
from authgate_core.principal import ProjectRef, Revocation, RevocationKind, TokenRef
from authgate_core.revocation import (
    Allowance,
    FeedHealth,
    Mark,
    RevocationHealth,
    Subject,
    check_entry,
    cut_off_entry,
    field_of,
    fields_of,
    is_refused,
    key_entry,
    mark_of,
    merged,
    read_mark,
    secret_version_entry,
    session_entry,
    subject_of,
    subjects_of,
    token_entry,
    write_mark,
)
from authgate_core.revocation.marks import CUT_OFFS

NOW = Instant(1_800_000_000.25, 50.0)
NAMED = b',"main",null,"token","j"'
"""What a written mark of a token is about."""

TOKEN = TokenRef(
    issuer="main",
    tenant="t1",
    name="jti-1",
    has_jti=True,
    session_id="s1",
    subject="u1",
    client_id="c1",
    issued_at=NOW.wall - 60,
    auth_time=None,
    expires_at=NOW.wall + 600,
    kid="k1",
)
BARE = replace(TOKEN, tenant=None, session_id=None, client_id=None, kid=None)


def refuses(entry: Revocation, ref: TokenRef | ProjectRef) -> bool:
    """Whether an entry alone refuses a credential."""
    return is_refused(ref, [(subject_of(entry), mark_of(entry))])


class TestSubjects:
    def test_everything_about_a_token_is_asked(self) -> None:
        """Law 5.2: token, session, subject, client, tenant and key."""
        expected = {
            ("token", "jti-1"),
            ("session", "s1"),
            ("subject", "u1"),
            ("client", "c1"),
            ("tenant", ""),
            ("key", "k1"),
        }
        subjects = subjects_of(TOKEN)
        assert expected == {(subject.kind, subject.value) for subject in subjects}
        assert {("main", "t1")} == {(subject.issuer, subject.tenant) for subject in subjects}

    def test_what_a_token_does_not_have_is_not_asked(self) -> None:
        """A token without session, client, tenant and kid is looked up by name and subject only."""
        assert ["token", "subject"] == [subject.kind for subject in subjects_of(BARE)]

    def test_a_project_is_asked_by_its_secret_version(self) -> None:
        """Law 6.4: one look-up for project credentials, whatever issuer an entry names."""
        (subject,) = subjects_of(ProjectRef("p1", 3))
        assert subject == subject_of(secret_version_entry("p1", 4))
        assert subject == subject_of(Revocation("secret_version", "elsewhere", "t9", "p1", version=4))

    @pytest.mark.parametrize(
        "ref", [TOKEN, BARE, replace(BARE, session_id=""), replace(TOKEN, tenant=""), ProjectRef("p1", 3)]
    )
    def test_each_stands_in_a_field_of_the_ref(self, ref: TokenRef | ProjectRef) -> None:
        """Law 5.1: so a ref that has none of the texts that entries are about is clear of all of them."""
        assert {field_of(subject) for subject in subjects_of(ref)} <= set(fields_of(ref))

    def test_names_stay_the_same(self) -> None:
        """Laws 5.9, 5.12: stores outlive versions, so each part stands behind its length, and none is a dash."""
        subject = Subject("main", None, "token", "j\u00e9")
        assert hashlib.sha256(b"4:main;-;5:token;3:j\xc3\xa9;").hexdigest() == subject.digest()
        assert hashlib.sha256(b"4:main;-;").hexdigest()[:32] == subject.group()
        assert hashlib.sha256(b"4:main;0:;").hexdigest()[:32] == subject._replace(tenant="").group()

    def test_names_are_digests(self) -> None:
        """Law 5.9: no text of a caller is in a name."""
        name = Subject("main", "t1", "token", "{evil}\r\n*").digest()
        assert 64 == len(name)
        assert int(name, 16) >= 0

    @given(
        st.lists(st.text(max_size=6), min_size=3, max_size=3),
        st.lists(st.text(max_size=6), min_size=3, max_size=3),
    )
    def test_different_subjects_have_different_names(self, one: list[str], other: list[str]) -> None:
        """Law 5.9: every part is behind its length, so moving text between parts changes the name."""
        first, second = (Subject(issuer, tenant, "token", value) for issuer, tenant, value in (one, other))
        assert (first == second) == (first.digest() == second.digest())

    def test_no_tenant_is_not_the_empty_tenant(self) -> None:
        """Laws 3.12 and 5.9: None and an empty string are two names, and two groups."""
        without, empty = Subject("i", None, "token", "x"), Subject("i", "", "token", "x")
        assert without.digest() != empty.digest()
        assert without.group() != empty.group()

    def test_one_group_for_one_issuer_and_tenant(self) -> None:
        """Law 5.12: everything that one request asks about shares a group."""
        assert 1 == len({subject.group() for subject in subjects_of(TOKEN)})
        assert subjects_of(TOKEN)[0].group() != subjects_of(replace(TOKEN, tenant="t2"))[0].group()
        assert subjects_of(TOKEN)[0].group() != subjects_of(replace(TOKEN, issuer="other"))[0].group()

    def test_a_lone_surrogate_has_a_name_too(self) -> None:
        """Law 3.11: whatever text arrives is named, not an exception."""
        assert 64 == len(Subject("i", None, "token", "\ud800").digest())


class TestCutOffs:
    def cut_off(self, before: float, except_session: str | None = None) -> Revocation:
        return cut_off_entry(
            "main",
            "t1",
            subject="u1",
            before=before,
            except_session=except_session,
            max_lifetime=None,
            now=NOW,
        )

    @pytest.mark.parametrize(
        ("issued_at", "revoked"),
        [(99.0, True), (100.0, True), (100.9, True), (101.0, False), (102.0, False), (None, True)],
    )
    def test_the_second_of_the_cut_off_is_refused(self, issued_at: float | None, revoked: bool) -> None:
        """Law 5.7: T = 100.4 refuses iat < 101, and a token without iat."""
        assert revoked is refuses(self.cut_off(100.4), replace(TOKEN, issued_at=issued_at))

    @pytest.mark.parametrize(("auth_time", "revoked"), [(100.0, True), (101.0, False)])
    def test_refreshing_does_not_outlive_it(self, auth_time: float, revoked: bool) -> None:
        """Law 5.7: auth_time is judged likewise when present."""
        assert revoked is refuses(self.cut_off(100.4), replace(TOKEN, issued_at=500.0, auth_time=auth_time))

    def test_one_session_may_go_on(self) -> None:
        """Law 5.6: except_session spares that session and no other, nor a token without one."""
        entry = self.cut_off(100.4, except_session="s1")
        old = replace(TOKEN, issued_at=50.0)
        assert not refuses(entry, old)
        assert refuses(entry, replace(old, session_id="s2"))
        assert refuses(entry, replace(old, session_id=None))

    def test_a_plain_cut_off_from_before_still_holds_for_a_spared_session(self) -> None:
        """Entries only add refusals: what an earlier cut-off refused is not let in by a later, milder one."""
        mark = merged(mark_of(self.cut_off(100.0)), mark_of(self.cut_off(200.0, except_session="s1")))
        spared = [(subjects_of(TOKEN)[1], mark)]
        assert is_refused(replace(TOKEN, issued_at=50.0), spared)
        assert not is_refused(replace(TOKEN, issued_at=150.0), spared)
        assert is_refused(replace(TOKEN, issued_at=150.0, session_id="s2"), spared)

    def test_two_spared_sessions(self) -> None:
        """Each session is spared by its own cut-off only, so both fall under the other's."""
        mark = merged(mark_of(self.cut_off(100.0, "s1")), mark_of(self.cut_off(100.0, "s2")))
        assert Mark(before=100.0) == mark


moments = st.integers(0, 12).map(float)
subjects = st.builds(
    Subject, st.text(), st.none() | st.text(), st.sampled_from(get_args(RevocationKind)), st.text()
)
marks = st.builds(
    lambda before, session, version, life: Mark(before, session, None, version, life),
    st.none() | moments,
    st.sampled_from([None, "a", "b", "c"]),
    st.integers(0, 5),
    st.none() | moments,
)


class TestMerging:
    @given(st.lists(marks, min_size=1, max_size=6), st.sampled_from([None, "a", "b", "c", "d"]), moments)
    def test_a_merged_mark_refuses_what_any_part_refuses(
        self, parts: list[Mark], session: str | None, issued_at: float
    ) -> None:
        """Law 5.11: entries only add refusals, and merging adds none of its own."""
        whole = parts[0]
        for part in parts[1:]:
            whole = merged(whole, part)
        ref = replace(TOKEN, session_id=session, issued_at=issued_at)
        subject = Subject("main", "t1", "subject", "u1")
        expected = any(is_refused(ref, [(subject, part)]) for part in parts)
        assert expected == is_refused(ref, [(subject, whole)])
        project = Subject("projects", None, "secret_version", "p")
        low = min(part.version for part in parts)
        assert low >= 0
        assert whole.version == max(part.version for part in parts)
        assert is_refused(ProjectRef("p", whole.version - 1), [(project, whole)])

    @given(marks, marks, marks)
    def test_order_does_not_matter(self, one: Mark, two: Mark, three: Mark) -> None:
        """Writers may come in any order, and twice."""
        assert merged(one, two) == merged(two, one)
        assert merged(merged(one, two), three) == merged(one, merged(two, three))
        assert merged(merged(one, two), two) == merged(one, two)

    @given(marks, marks)
    def test_the_longer_life_wins(self, one: Mark, other: Mark) -> None:
        """Law 5.8: no entry is forgotten early because another one ends; None is for ever."""
        lives = [math.inf if mark.expires_at is None else mark.expires_at for mark in (one, other)]
        life = merged(one, other).expires_at
        assert max(lives) == (math.inf if life is None else life)

    def test_a_session_that_is_spared_twice_goes_on(self) -> None:
        """Law 5.6: whoever ends all other sessions once more ends this one no more than before."""
        once, again = (Mark(before=before, except_session="s1") for before in (100.0, 200.0))
        for mark in (merged(once, again), merged(again, once)):
            assert (None, 200.0) == (mark.cut_off("s1"), mark.cut_off("s2"))

    def test_a_secret_version_never_goes_down(self) -> None:
        """Law 6.4: requiring version 2 after version 5 changes nothing."""
        mark = merged(mark_of(secret_version_entry("p", 5)), mark_of(secret_version_entry("p", 2)))
        assert 5 == mark.version


class TestWrittenMarks:
    @given(subjects, marks)
    def test_what_is_written_reads_back(self, subject: Subject, mark: Mark) -> None:
        """A mark survives the way through a store, and so does what it is about."""
        if subject.kind in CUT_OFFS and mark.before is None:
            mark = replace(mark, before=0.0)
        assert (subject, mark) == read_mark(write_mark(subject, mark))

    def test_text_of_callers_is_escaped(self) -> None:
        """Whatever text names a subject or a session, it is written as plain ASCII."""
        subject = Subject("main", None, "subject", '\u00fc"\ud800\n')
        mark = Mark(before=1.0, except_session=subject.value)
        assert (subject, mark) == read_mark(write_mark(subject, mark))
        assert write_mark(subject, mark).isascii()

    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"null",
            b"{}",
            b"[]",
            b"[2]",
            b"\xff\xfe",
            b"[" * 100_000,
            b"[3" + NAMED + b",null,null,null,0,null]",
            b"[1,null,null,null,0,null]",
            b'[2,"main",null,"token","j"]',
            b'[2,"main",null,"tokens","j",null,null,null,0,null]',
            b'[2,"main",null,null,"j",null,null,null,0,null]',
            b'[2,null,null,"token","j",null,null,null,0,null]',
            b'[2,"main",7,"token","j",null,null,null,0,null]',
            b'[2,"main",null,"token",null,null,null,null,0,null]',
            b"[2" + NAMED + b",null,null,null,0]",
            b"[2" + NAMED + b",null,null,null,0,null,0]",
            b"[2" + NAMED + b",true,null,null,0,null]",
            b"[2" + NAMED + b',"1",null,null,0,null]',
            b"[2" + NAMED + b",NaN,null,null,0,null]",
            b"[2" + NAMED + b",1e999,null,null,0,null]",
            b"[2" + NAMED + b",-1,null,null,0,null]",
            b"[2" + NAMED + b"," + b"9" * 400 + b",null,null,0,null]",
            b"[2" + NAMED + b",null,7,null,0,null]",
            b"[2" + NAMED + b",null,null,false,0,null]",
            b"[2" + NAMED + b",null,null,null,null,null]",
            b"[2" + NAMED + b",null,null,null,true,null]",
            b"[2" + NAMED + b",null,null,null,0.5,null]",
            b"[2" + NAMED + b',null,null,null,0,"x"]',
        ],
    )
    def test_anything_else_is_an_error(self, data: bytes) -> None:
        """Law 5.3: what cannot be read is never taken for "not revoked"."""
        with pytest.raises(ValueError, match="not a mark"):
            read_mark(data)

    def test_a_cut_off_needs_its_moment(self) -> None:
        """A mark about a subject that refuses nothing was not written by authgate."""
        with pytest.raises(ValueError, match="not a mark"):
            read_mark(write_mark(Subject("main", None, "subject", "u1"), Mark()))

    def test_the_format_is_marked(self) -> None:
        """Another format is refused by this version rather than misread."""
        assert 2 == json.loads(write_mark(Subject("main", None, "token", "j"), Mark()))[0]


class TestLifetimes:
    @pytest.mark.parametrize(("left", "life"), [(600.0, 720.0), (10.0, 300.0), (-3600.0, 300.0)])
    def test_a_token(self, left: float, life: float) -> None:
        """Law 5.8: an entry for a token lives until its exp + 120 s, at least 300 s."""
        entry = token_entry("main", None, "j", expires_at=NOW.wall + left, max_lifetime=60.0, now=NOW)
        assert NOW.wall + life == entry.expires_at

    @pytest.mark.parametrize(("max_lifetime", "life"), [(3600.0, 3720.0), (60.0, 300.0), (None, None)])
    def test_any_other(self, max_lifetime: float | None, life: float | None) -> None:
        """Law 5.8: max_lifetime + 120 s, or for ever where none is set; a jti alone counts as such."""
        entries = [
            token_entry("main", None, "j", expires_at=None, max_lifetime=max_lifetime, now=NOW),
            session_entry("main", None, "s", max_lifetime=max_lifetime, now=NOW),
            key_entry("main", None, "k", max_lifetime=max_lifetime, now=NOW),
            cut_off_entry("main", "t", max_lifetime=max_lifetime, now=NOW),
        ]
        expected = None if life is None else NOW.wall + life
        assert [expected] * 4 == [entry.expires_at for entry in entries]

    def test_a_secret_version_lives_for_ever(self) -> None:
        """Law 5.8: secrets have no lifetime."""
        assert secret_version_entry("p", 2).expires_at is None

    def test_when_a_mark_is_over(self) -> None:
        """It may be forgotten at its end, and not before."""
        assert not Mark(expires_at=10.0).is_over(9.9)
        assert Mark(expires_at=10.0).is_over(10.0)
        assert not Mark().is_over(1e12)


class TestWriting:
    def test_a_cut_off_defaults_to_now(self) -> None:
        """Law 5.6: revoke_before() without a moment means everything so far."""
        entry = cut_off_entry("main", None, subject="u1", max_lifetime=None, now=NOW)
        assert NOW.wall == entry.before

    @pytest.mark.parametrize(
        ("names", "kind", "value"),
        [
            ({"subject": "u1"}, "subject", "u1"),
            ({"client_id": "c1"}, "client", "c1"),
            ({}, "tenant", ""),
        ],
    )
    def test_one_of_subject_client_and_tenant(self, names: dict[str, Any], kind: str, value: str) -> None:
        """Law 5.6: one of subject, client_id, or tenant alone."""
        entry = cut_off_entry("main", "t1", max_lifetime=None, now=NOW, **names)
        assert (kind, value) == (entry.kind, entry.value)

    @pytest.mark.parametrize("names", [{"subject": "u1"}, {"client_id": "c1"}, {}])
    def test_whatever_it_is_of_it_is_written_whole(self, names: dict[str, Any]) -> None:
        """Laws 5.6, 5.8: a moment, the session that goes on, and how long it lives."""
        how: dict[str, Any] = {"before": NOW.wall - 5, "except_session": "s1", "max_lifetime": 3600.0}
        entry = cut_off_entry("main", "t1", now=NOW, **names, **how)
        assert ("main", "t1", NOW.wall - 5, "s1", NOW.wall + 3720) == (
            *(entry.issuer, entry.tenant, entry.before),
            *(entry.except_session, entry.expires_at),
        )

    def test_a_future_cut_off_is_refused(self) -> None:
        """Law 5.7: a T in the future is refused when written."""
        with pytest.raises(ValueError, match="90 s in the future"):
            cut_off_entry("main", None, subject="u1", before=NOW.wall + 90, max_lifetime=None, now=NOW)

    @pytest.mark.parametrize(
        ("entry", "message"),
        [
            (Revocation("tenant", "main", None, "", before=1.0), "name a subject"),
            (Revocation("token", "main", None, ""), "token to revoke needs a name"),
            (Revocation("subject", "main", None, "u1"), "needs a moment"),
            (Revocation("client", "main", None, "c1", before=math.nan), "needs a moment"),
            (Revocation("subject", "main", None, "u1", before=-1.0), "needs a moment"),
            (Revocation("secret_version", "projects", None, "p", version=-1), "not negative"),
            (Revocation("token", "main", None, "j", expires_at=math.inf), "Unix seconds"),
            (Revocation("token", "main", None, "j", expires_at=253402300800.0), "Unix seconds"),
            (Revocation("subject", "main", None, "u1", before=253402300800.0), "needs a moment"),
        ],
    )
    def test_what_means_nothing_is_refused(self, entry: Revocation, message: str) -> None:
        """An entry that would revoke nothing, or everything, is a mistake of its writer."""
        with pytest.raises(ValueError, match=message):
            check_entry(entry, NOW)

    def test_a_mark_lasts_to_the_end_of_time(self) -> None:
        """Law 3.7: dates end with the year 9999, whose last second is one."""
        check_entry(Revocation("token", "main", None, "j", expires_at=253402300799.0), NOW)

    def test_a_token_is_revoked_by_being_there(self) -> None:
        """Law 5.2: no moment and no version has a part in it."""
        assert Mark() == mark_of(Revocation("token", "main", None, "j"))

    @pytest.mark.parametrize("moment", [math.nan, math.inf])
    def test_what_no_reader_could_read_is_not_written(self, moment: float) -> None:
        """RFC 8259 section 6: neither is a number; a store with such a mark would count as damaged."""
        with pytest.raises(ValueError, match="JSON"):
            write_mark(Subject("main", None, "subject", "u1"), Mark(before=moment))

    def test_a_subject_and_a_client_are_two_calls(self) -> None:
        """Law 5.6: an entry has one subject; "this client's tokens of this subject" cannot be said."""
        with pytest.raises(ValueError, match="not both"):
            cut_off_entry("main", None, subject="u1", client_id="c1", max_lifetime=None, now=NOW)


class TestAllowance:
    def test_it_passes_over_for_a_while_and_counts(self) -> None:
        """Law 5.3: ``allow`` ends after ``allow_for`` and is counted at every use."""
        allowance, passed = Allowance(600.0).used(100.0)
        assert passed
        allowance, passed = allowance.used(699.9)
        assert passed
        allowance, passed = allowance.used(700.0)
        assert not passed
        assert (2, 2) == (allowance.uses, allowance.total)

    def test_each_outage_has_its_own(self) -> None:
        """Law 5.3: an answer between two outages starts the time anew; the total goes on."""
        allowance, _ = Allowance(10.0).used(0.0)
        allowance, passed = allowance.ended().used(50.0)
        assert passed
        assert (1, 2) == (allowance.uses, allowance.total)
        assert Allowance(10.0) == Allowance(10.0).ended()

    def test_it_is_said_at_a_change_and_once_a_second(self) -> None:
        """Law 5.3: logged on change and once a second."""
        allowance, _ = Allowance(10.0).used(100.0)
        said = []
        for now in (0.0, 0.5, 0.99, 1.0, 1.5, 2.0, 10.0, 10.5, 11.0, 12.0):
            allowance, _ = allowance.used(100.0 + now)
            reported = allowance.said(100.0 + now)
            if reported is not None:
                said.append((now, reported.over))
                allowance = reported
        assert [(0.0, False), (1.0, False), (2.0, False), (10.0, True)] == said

    def test_an_end_that_nobody_was_told_the_beginning_of(self) -> None:
        """Law 5.3: that requests are refused from now on is a change, also where none was reported before."""
        allowance, _ = Allowance(10.0).used(0.0)
        said = allowance.said(10.0)
        assert said is not None
        assert said.over


class TestHealth:
    @pytest.mark.parametrize(
        ("policy", "evicts"),
        [(None, False), ("noeviction", False), ("allkeys-lru", True), ("volatile-ttl", True)],
    )
    def test_evicting(self, policy: str | None, evicts: bool) -> None:
        """Law 5.10: any policy but noeviction is a health state; unknown is not an accusation."""
        assert evicts is RevocationHealth(source="redis", status="ok", eviction_policy=policy).evicts

    def test_what_was_not_said_is_not_there(self) -> None:
        """A store that nobody asked has neither a policy nor an error."""
        health = RevocationHealth(source="redis", status="unknown")
        copy = FeedHealth(status="down", age=None, entries=0, limit=1)
        assert (None, None, 0, None, False) == (
            *(health.eviction_policy, health.last_error, health.unchecked, health.feed),
            health.evicts,
        )
        assert copy.last_error is None


class TestEntryTypes:
    """What is no entry is refused before it is written: a damaged mark would bar its project or person for ever."""

    @pytest.mark.parametrize(
        ("entry", "said"),
        [
            (Revocation("session", "id", None, 5), "name must be text"),  # type: ignore[arg-type]  # on purpose
            (Revocation("session", 5, 6, "s"), "issuer, tenant must be text"),  # type: ignore[arg-type]  # on purpose
            (Revocation("session", "id", 5, "s"), "tenant must be text"),  # type: ignore[arg-type]  # on purpose
            (
                Revocation("subject", "id", None, "u", 1.0, 5),  # type: ignore[arg-type]  # on purpose
                "except_session must be text",
            ),
            (Revocation("secret_version", "projects", None, "p", version=3.5), "whole number"),  # type: ignore[arg-type]  # on purpose
            (Revocation("secret_version", "projects", None, "p", version=True), "whole number"),
            (Revocation("secret_version", "projects", None, "p", version=2**53), "whole number"),
        ],
        ids=range(7),
    )
    def test_each_is_told(self, entry: Revocation, said: str) -> None:
        """Law 5.6: a write is confirmed, or it raises."""
        with pytest.raises(ValueError, match=said):
            check_entry(entry, Instant(1000.0, 0.0))

    def test_a_version_is_a_number_that_every_reader_reads_alike(self) -> None:
        """RFC 8259 section 6: whole numbers are interoperable up to 2**53 - 1."""
        for version in (0, 2**53 - 1):
            check_entry(secret_version_entry("p", version), Instant(1000.0, 0.0))
