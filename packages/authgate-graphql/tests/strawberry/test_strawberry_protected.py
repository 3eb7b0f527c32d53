"""What an operation is said to ask before it is executed: at least what its fields ask when they are resolved."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Annotated, Any

import pytest
import strawberry
from graphql import parse, validate
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from authgate_core import Policy, all_roles, is_user
from authgate_graphql import checks
from authgate_graphql.requirement import Requirement
from authgate_graphql.strawberry import Guard, public, requires, requires_jwt_auth
from authgate_graphql.strawberry.fields import schema_of
from authgate_graphql.strawberry.protected import Operation


def role(name: str) -> Policy:
    """A policy that tells one field from all others."""
    return is_user & all_roles(name)


@strawberry.interface
class Node:
    @strawberry.field(extensions=[Guard(role("node.id"))])
    def id(self) -> str:
        return "node"

    @strawberry.field
    def next(self) -> "Node":
        return Book()


@strawberry.interface
class Titled(Node):
    @strawberry.field
    def title(self) -> str:
        return "titled"


@strawberry.type
class Book(Titled):
    @strawberry.field(permission_classes=[requires(role("book.id")), requires(role("book.more"))])
    def id(self) -> str:
        return "book"

    @strawberry.field(extensions=[Guard(role("book.title"))])
    def title(self) -> str:
        return "book"

    @strawberry.field
    @requires_jwt_auth
    def author(self, info: strawberry.Info) -> "Author":
        return Author()


@strawberry.type
class Author(Node):
    @strawberry.field(extensions=[Guard(role("author.name"))])
    def name(self) -> str:
        return "name"

    @strawberry.field(extensions=[Guard(role("author.next"))])
    def next(self) -> "Book":
        return Book()


Found = Annotated[Book | Author, strawberry.union("Found")]


@strawberry.type
class Query:
    @strawberry.field
    def book(self) -> Book:
        return Book()

    @strawberry.field(permission_classes=[requires(role("node"))])
    def node(self) -> Node:
        return Author()

    @strawberry.field
    def found(self) -> list[Found]:
        return [Book(), Author()]

    @strawberry.field
    @public
    def titled(self) -> Titled | None:
        return Book()

    @strawberry.field
    def version(self) -> str:
        return "1"


SCHEMA = strawberry.Schema(Query, types=[Book, Author])
CORE = schema_of(SCHEMA)

FIELDS: dict[str, dict[str, str]] = {
    "Query": {"book": "Book", "node": "Node", "found": "Found", "titled": "Titled", "version": ""},
    "Book": {"id": "", "title": "", "author": "Author", "next": "Node"},
    "Author": {"id": "", "name": "", "next": "Book"},
    "Node": {"id": "", "next": "Node"},
    "Titled": {"id": "", "title": "", "next": "Node"},
    "Found": {},
}
NARROWER = {
    "Query": ["Query"],
    "Book": ["Book", "Node", "Titled", "Found"],
    "Author": ["Author", "Node", "Found"],
    "Node": ["Node", "Titled", "Book", "Author", "Found"],
    "Titled": ["Titled", "Node", "Book", "Found"],
    "Found": ["Book", "Author", "Node", "Titled"],
}


@st.composite
def documents(draw: st.DrawFn) -> str:
    """Valid documents with nested selections, inline fragments, named ones, aliases and directives."""
    fragments: list[str] = []
    aliases: list[str] = []

    def selection(kind: str, depth: int) -> str:
        return (
            "{ "
            + " ".join(["__typename", *(part(kind, depth) for _ in range(draw(st.integers(1, 3))))])
            + " }"
        )

    def part(kind: str, depth: int) -> str:
        ways = ["field"] * bool(FIELDS[kind]) + ["inline", "spread", "bare"] * (depth > 0)
        match draw(st.sampled_from(ways or ["name"])):
            case "field":
                return field(kind, depth)
            case "inline":
                narrow = draw(st.sampled_from(NARROWER[kind]))
                return f"... on {narrow} {selection(narrow, depth - 1)}"
            case "bare":
                return f"... {selection(kind, depth - 1)}"
            case "spread":
                narrow = draw(st.sampled_from(NARROWER[kind]))
                body = selection(narrow, depth - 1)
                fragments.append(f"fragment F{len(fragments)} on {narrow} {body}")
                return f"...F{len(fragments) - 1}"
            case _:
                return "__typename"

    def field(kind: str, depth: int) -> str:
        open_ended = {name: of for name, of in FIELDS[kind].items() if not of or depth > 0}
        name, of = draw(st.sampled_from(sorted(open_ended.items()))) if open_ended else ("__typename", "")
        directive = draw(st.sampled_from(["", " @include(if: true)", " @skip(if: true)"]))
        aliases.append(name)
        return f"a{len(aliases)}: {name}{directive} {selection(of, depth - 1) if of else ''}"

    query = selection("Query", 5)
    return " ".join([query, *fragments])


@pytest.fixture(scope="module")
def met() -> Iterator[list[Requirement]]:
    """What guards are asked in execution; all of them let in."""
    found: list[Requirement] = []
    with pytest.MonkeyPatch.context() as patch:
        from authgate_graphql import resolvers
        from authgate_graphql.strawberry import guard, permissions

        def is_checked(requirement: Requirement, *_: Any, **__: Any) -> bool:
            found.append(requirement)
            return True

        for room in (checks, resolvers, guard, permissions):
            patch.setattr(room, "is_checked", is_checked)
        yield found


class TestRequirements:
    @given(document=documents())
    def test_superset(self, met: list[Requirement], document: str) -> None:
        """Whatever execution meets was said before."""
        parsed = parse(document)
        assert [] == validate(CORE, parsed)
        met.clear()
        result = SCHEMA.execute_sync(document, context_value={})
        assert result.errors is None
        assert set(met) <= set(Operation(CORE, parsed).requirements())

    @pytest.mark.parametrize(
        ("document", "roles"),
        [
            ("{ version }", []),
            ("{ __schema { types { fields { name } } } }", []),
            ("{ book { next { __typename } } }", []),
            ("{ node { id } }", ["book.id", "book.more", "node", "node.id"]),
            ("{ found { ... on Author { name } } }", ["author.name"]),
            ("{ found { ... on Node { next { ... on Titled { title } } } } }", ["author.next", "book.title"]),
            ("query A { node { __typename } } query B { book { title } }", ["book.title"]),
        ],
    )
    def test_asked(self, document: str, roles: list[str]) -> None:
        """Each once, of whichever type an interface or a union may turn out to be, and of this operation alone."""
        name = "B" if "query B" in document else None
        asked = Operation(CORE, parse(document), name).requirements()
        assert len(set(asked)) == len(asked)
        assert {role(name) for name in roles} == {one.policy for one in asked}

    def test_unknown_operation(self) -> None:
        """A document without that operation asks nothing: it is not executed."""
        operation = Operation(CORE, parse("query A { version } query B { version }"), "C")
        assert ((), ()) == (operation.requirements(), operation.open_fields())

    def test_no_such_root(self) -> None:
        """Nor does a mutation of a schema that has none."""
        operation = Operation(CORE, parse("mutation { change }"))
        assert ((), ()) == (operation.requirements(), operation.open_fields())


class TestEffort:
    """Law 2.4: what is read before anybody is authenticated takes no more than the document is long."""

    @staticmethod
    def document(levels: int, below: str) -> str:
        """Fragments of which each spreads the next ones four times, and selects a field with them below."""
        spreads = "...F{1} ...G{1}"
        pair = (
            f"fragment F{{0}} on Node {{{{ {below} {spreads} }}}} fragment G{{0}} on Node {{{{ {spreads} }}}}"
        )
        fragments = [pair.format(level, level + 1) for level in range(levels)]
        last = f"fragment F{levels} on Node {{ id }} fragment G{levels} on Node {{ id }}"
        return " ".join(["{ node { ...F0 } }", *fragments, last])

    @pytest.mark.parametrize(("below", "asked"), [("", 4), ("next {{ ...F{1} ...G{1} }}", 5)])
    def test_fragments_of_fragments(self, below: str, asked: int) -> None:
        """Each of fifty fragments spreads the next four times: two to the hundredth ways, and each is read once."""
        assert asked == len(Operation(CORE, parse(self.document(50, below))).requirements())

    def test_roots(self) -> None:
        """So it is for the fields of the root."""
        fragments = [f"fragment F{n} on Query {{ ...F{n + 1} ... {{ ...F{n + 1} }} }}" for n in range(60)]
        document = " ".join(["{ ...F0 }", *fragments, "fragment F60 on Query { version }"])
        assert ("version",) == Operation(CORE, parse(document)).open_fields()


class TestOpenFields:
    @pytest.mark.parametrize(
        ("document", "names"),
        [
            ("{ version book { id } }", ("version", "book")),
            ("{ node { id } titled { id } __typename }", ()),
            ("{ __schema { queryType { name } } }", ("__schema",)),
            ("{ a: version b: version }", ("version",)),
        ],
    )
    def test_named(self, document: str, names: tuple[str, ...]) -> None:
        """Root fields alone, by their own names, each once."""
        assert names == Operation(CORE, parse(document)).open_fields()


class TestUnguardedSchema:
    def test_reads_nothing(self, arrive: Callable[..., Request]) -> None:
        """A schema without guards asks nothing, and needs no request."""

        @strawberry.type
        class Plain:
            @strawberry.field
            def hello(self) -> str:
                return "hello"

        from authgate_graphql.strawberry import AuthGateExtension

        schema = strawberry.Schema(Plain, extensions=[AuthGateExtension])
        assert {"hello": "hello"} == asyncio.run(schema.execute("{ hello }")).data
        assert {"hello": "hello"} == schema.execute_sync("{ hello }").data
