"""What every revocation store must answer, as a table: entries written, question asked, answer promised."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from ...principal import ProjectRef, Revocation, RevocationKind, TokenRef

__all__ = ["EXAMPLE", "FRESH", "ROWS", "Row", "apart", "entry_for_example"]

_T: Final = 1_700_000_000
_OVER: Final = _T + 3600.0
_LATER: Final = 4_000_000_000.0


@dataclass(frozen=True, slots=True)
class Row:
    """One promise of a store. Moments lie in November 2023, entries end there or in 2096.

    Args:
        promise: What is promised, in words.
        entries: Written in this order to an empty store.
        asked: What the store is asked about then.
        revoked: The answer.
    """

    promise: str
    entries: tuple[Revocation, ...]
    asked: TokenRef | ProjectRef
    revoked: bool

    def __str__(self) -> str:
        return self.promise


EXAMPLE: Final = TokenRef(
    issuer="main",
    tenant="t1",
    name="jti-1",
    has_jti=True,
    session_id="s1",
    subject="u1",
    client_id="c1",
    issued_at=_T + 5.0,
    auth_time=None,
    expires_at=_LATER,
    kid="k1",
)
"""The token that most rows ask about."""

_VALUES: Final[Mapping[RevocationKind, str]] = {
    "token": "jti-1",
    "session": "s1",
    "key": "k1",
    "subject": "u1",
    "client": "c1",
    "tenant": "",
}
_NAMED: Final[Mapping[RevocationKind, Callable[[str], TokenRef]]] = {
    "token": lambda value: replace(EXAMPLE, name=value),
    "session": lambda value: replace(EXAMPLE, session_id=value),
    "key": lambda value: replace(EXAMPLE, kid=value),
    "subject": lambda value: replace(EXAMPLE, subject=value),
    "client": lambda value: replace(EXAMPLE, client_id=value),
}
_CUT_OFFS: Final[tuple[RevocationKind, ...]] = ("subject", "client", "tenant")
_ODD: Final = ("*", "[a-z]?", "{t1}", "0", "a b\r\n\x00'%s\"", "j\u00fcrgen \U0001f600", "x" * 4096)


def entry_for_example(kind: RevocationKind) -> Revocation:
    """An entry that revokes ``EXAMPLE``; cut-offs lie five seconds after it was issued."""
    before = _T + 10.0 if kind in _CUT_OFFS else None
    return Revocation(kind, "main", "t1", _VALUES[kind], before=before, expires_at=_LATER)


def _hit(promise: str, *entries: Revocation, asked: TokenRef | ProjectRef = EXAMPLE) -> Row:
    return Row(promise, entries, asked, revoked=True)


def _miss(promise: str, *entries: Revocation, asked: TokenRef | ProjectRef = EXAMPLE) -> Row:
    return Row(promise, entries, asked, revoked=False)


def _empty() -> Iterator[Row]:
    yield _miss("an empty store revokes no token")
    yield _miss("an empty store revokes no project", asked=ProjectRef("p1", 0))


def _scopes() -> Iterator[Row]:
    """Law 5.9: an entry is of one issuer and one tenant; no tenant is a place of its own."""
    for kind in _VALUES:
        entry = entry_for_example(kind)
        yield _hit(f"{kind}: revokes", entry)
        yield _hit(f"{kind}: written twice, revokes", entry, entry)
        yield _hit(f"{kind}: without an end, revokes", replace(entry, expires_at=None))
        yield _miss(f"{kind}: not of another issuer", entry, asked=replace(EXAMPLE, issuer="other"))
        yield _miss(f"{kind}: not of another tenant", entry, asked=replace(EXAMPLE, tenant="t2"))
        yield _miss(f"{kind}: not where there is no tenant", entry, asked=replace(EXAMPLE, tenant=None))
    for kind in _NAMED:
        entry = replace(entry_for_example(kind), tenant=None)
        yield _hit(f"{kind}: of no tenant, revokes", entry, asked=replace(EXAMPLE, tenant=None))
        yield _miss(f"{kind}: of no tenant, not of one", entry)


def _names() -> Iterator[Row]:
    """Law 5.2: a value names one thing, whatever it holds."""
    for kind, named in _NAMED.items():
        entry, value = entry_for_example(kind), _VALUES[kind]
        yield _miss(f"{kind}: not a longer value", entry, asked=named(f"{value}x"))
        yield _miss(f"{kind}: not a shorter value", entry, asked=named(value[:-1]))
        yield _miss(f"{kind}: case counts", entry, asked=named(value.upper()))
        for number, odd in enumerate(_ODD):
            yield _hit(f"{kind}: odd value {number} revokes", replace(entry, value=odd), asked=named(odd))
            yield _miss(f"{kind}: odd value {number} revokes nothing else", replace(entry, value=odd))


def _absences() -> Iterator[Row]:
    """What a token does not have cannot be revoked, however its absence is spelled."""
    bare = replace(EXAMPLE, session_id=None, client_id=None, kid=None)
    kinds: tuple[RevocationKind, ...] = ("session", "client", "key")
    for kind in kinds:
        for value in ("None", "null"):
            entry = replace(entry_for_example(kind), value=value)
            yield _miss(f"{kind}: {value!r} is not its absence", entry, asked=bare)


def _joints() -> Iterator[Row]:
    """Law 5.9: names are length-prefixed, so no separator joins two parts into others."""
    for mark in ":|/\x00":
        entry = Revocation("token", f"a{mark}b", "c", "d", expires_at=_LATER)
        others = (("a", f"b{mark}c", "d"), ("a", "b", f"c{mark}d"), ("a", None, f"b{mark}c{mark}d"))
        for number, (issuer, tenant, name) in enumerate(others):
            asked = replace(EXAMPLE, issuer=issuer, tenant=tenant, name=name)
            yield _miss(f"{mark!r} is no separator, {number}", entry, asked=asked)


def _kinds() -> Iterator[Row]:
    """Equal values of different kinds have nothing to do with each other."""
    same = replace(EXAMPLE, name="x", session_id="x", kid="x", subject="x", client_id="x")
    others: Mapping[RevocationKind, TokenRef] = {
        "token": replace(same, name="y"),
        "session": replace(same, session_id="y"),
        "key": replace(same, kid="y"),
        "subject": replace(same, subject="y"),
        "client": replace(same, client_id="y"),
    }
    for kind, other in others.items():
        entry = replace(entry_for_example(kind), value="x")
        yield _miss(f"{kind}: no other kind of the same value", entry, asked=other)
        yield _miss(f"{kind}: no project of the same name", entry, asked=ProjectRef("x", 0))


def _cut_offs() -> Iterator[Row]:
    """Law 5.7: a cut-off T refuses what was issued, or logged in, before floor(T) + 1."""
    for kind in _CUT_OFFS:
        exact = entry_for_example(kind)
        for entry, words in ((exact, "T + 10"), (replace(exact, before=_T + 10.5), "T + 10.5")):
            for issued, revoked in ((9.0, True), (10.0, True), (10.999, True), (11.0, False)):
                asked = replace(EXAMPLE, issued_at=_T + issued)
                yield Row(f"{kind}: cut off at {words}, issued at T + {issued}", (entry,), asked, revoked)
        for login, revoked in ((10.0, True), (11.0, False)):
            asked = replace(EXAMPLE, issued_at=_T + 900.0, auth_time=_T + login)
            yield Row(f"{kind}: refreshed later, login at T + {login}", (exact,), asked, revoked)
        undated = replace(EXAMPLE, issued_at=None)
        dated = replace(undated, auth_time=_T + 900.0)
        yield _hit(f"{kind}: a token without iat is refused", exact, asked=undated)
        yield _hit(f"{kind}: a late login does not stand in for iat", exact, asked=dated)
        yield _miss(f"{kind}: without iat, of another issuer", exact, asked=replace(undated, issuer="other"))


def _exceptions() -> Iterator[Row]:
    """Law 5.6: ``except_session`` spares one session from one entry, and from no other."""
    for kind in _CUT_OFFS:
        early, late = _early_and_late(kind)
        spare, also = replace(late, except_session="s1"), replace(late, except_session="s2")
        between = replace(EXAMPLE, issued_at=_T + 15.0)
        yield _miss(f"{kind}: the excepted session goes on", spare)
        yield _hit(f"{kind}: another session does not", spare, asked=replace(EXAMPLE, session_id="s3"))
        yield _hit(f"{kind}: no session is no exception", spare, asked=replace(EXAMPLE, session_id=None))
        for entries, order in (((early, spare), "before"), ((spare, early), "after")):
            yield _hit(f"{kind}: an entry {order} spares nothing", *entries)
            yield _miss(f"{kind}: an entry {order} and older than the token", *entries, asked=between)
            other = replace(between, session_id="s2")
            yield _hit(f"{kind}: an entry {order} takes no refusal away", *entries, asked=other)
        for session in ("s1", "s2"):
            asked = replace(EXAMPLE, session_id=session)
            yield _hit(f"{kind}: {session} is spared by one entry only", spare, also, asked=asked)


def _additions() -> Iterator[Row]:
    """Law 5.11: entries only add refusals, in whatever order they are written."""
    for kind in _CUT_OFFS:
        early, late = _early_and_late(kind)
        between = replace(EXAMPLE, issued_at=_T + 15.0)
        yield _hit(f"{kind}: an earlier cut-off does not replace a later one", late, early, asked=between)
        yield _hit(f"{kind}: a later cut-off counts beside an earlier one", early, late, asked=between)
    for kind in _VALUES:
        entry = entry_for_example(kind)
        over = replace(entry, expires_at=_OVER)
        for longer, words in ((entry, "a later end"), (replace(entry, expires_at=None), "no end")):
            yield _hit(f"{kind}: an entry that is over ends none with {words}", longer, over)
            yield _hit(f"{kind}: an entry with {words} outlives one that is over", over, longer)


def _secret_versions() -> Iterator[Row]:
    """Laws 5.2 and 6.4: a required version refuses every lower one."""
    five = Revocation("secret_version", "projects", None, "p1", version=5)
    three, over = replace(five, version=3), replace(five, expires_at=_OVER)
    for version, revoked in ((0, True), (4, True), (5, False), (6, False)):
        yield Row(f"secret: version {version} of 5 required", (five,), ProjectRef("p1", version), revoked)
    for entries, words in (((three, five), "3 and then 5"), ((five, three), "5 and then 3")):
        yield _hit(f"secret: {words} required, 4 is refused", *entries, asked=ProjectRef("p1", 4))
        yield _miss(f"secret: {words} required, 5 is admitted", *entries, asked=ProjectRef("p1", 5))
    yield _hit("secret: an entry that is over ends no other", five, over, asked=ProjectRef("p1", 4))
    yield _miss("secret: not of another project", five, asked=ProjectRef("p2", 0))
    yield _miss("secret: no subject of the same name", replace(five, value="u1"))
    for number, value in enumerate(_ODD):
        odd = replace(five, value=value)
        yield _hit(f"secret: odd id {number} is revoked", odd, asked=ProjectRef(value, 4))
        yield _miss(f"secret: odd id {number} revokes nothing else", odd, asked=ProjectRef("p1", 4))


def _early_and_late(kind: RevocationKind) -> tuple[Revocation, Revocation]:
    early = entry_for_example(kind)
    return early, replace(early, before=_T + 20.0)


ROWS: Final[tuple[Row, ...]] = (
    *_empty(),
    *_scopes(),
    *_names(),
    *_absences(),
    *_joints(),
    *_kinds(),
    *_cut_offs(),
    *_exceptions(),
    *_additions(),
    *_secret_versions(),
)
"""Every promise; each starts from an empty store."""

FRESH: Final[tuple[tuple[Revocation, TokenRef | ProjectRef], ...]] = (
    *((replace(entry_for_example(kind), issuer=kind), replace(EXAMPLE, issuer=kind)) for kind in _VALUES),
    (Revocation("secret_version", "projects", None, "p1", version=5), ProjectRef("p1", 4)),
)
"""One entry of each kind, with what it revokes and no other entry does."""


def apart(row: Row) -> Row:
    """The same promise under an issuer for each kind of entry, so that no kind covers up for another."""
    if isinstance(row.asked, ProjectRef):
        return row
    entries = tuple(replace(entry, issuer=f"{entry.kind} {entry.issuer}") for entry in row.entries)
    kind = row.entries[0].kind if row.entries else ""
    return replace(row, entries=entries, asked=replace(row.asked, issuer=f"{kind} {row.asked.issuer}"))
