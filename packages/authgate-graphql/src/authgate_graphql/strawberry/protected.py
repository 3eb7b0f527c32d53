"""Which guards an operation will meet, read from its document before anything is resolved."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import Final

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_operation_ast,
)
from strawberry.permission import PermissionExtension
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.field import StrawberryField

from ..requirement import Requirement
from ..resolvers import requirements_of
from .fields import named_type_of, resolver_of
from .guard import Guard
from .permissions import Permission
from .public import is_public

__all__ = ["Operation", "asked_of", "is_opened"]

_TYPENAME: Final = "__typename"


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a document, as the guards of its schema see it.

    It is read before anybody is authenticated, so that takes no more than the document is long, however its
    fragments spread each other.

    Args:
        schema: The schema.
        document: The document, valid for it.
        name: The operation's name; None where the document has one alone.
    """

    schema: GraphQLSchema
    document: DocumentNode
    name: str | None = None

    def requirements(self) -> tuple[Requirement, ...]:
        """What the guards of its fields ask, each once; of a field that a directive leaves out as well."""
        guards = _guards(self.schema)
        asked: dict[Requirement, None] = {}
        if guards.everything:
            for owner, name in self._selected(deep=True):
                for requirement in guards.of.get((owner.name, name), ()):
                    asked[requirement] = None
                if len(asked) == len(guards.everything):
                    break
        return tuple(asked)

    def open_fields(self) -> tuple[str, ...]:
        """The root fields that nobody guards and that are not marked as public, those of introspection included.

        A field of a root type is one wherever it is reached: a payload may have the whole ``query`` in it.
        """
        root = self._root()
        if root is None:
            return ()
        # Whichever type a fragment names, an interface perhaps, the root type's own field is what is resolved.
        names = dict.fromkeys(name for _, name in self._selected(deep=False))
        found = [name for name in names if _is_open(root, name)]
        returning = _returning(self.schema)
        if returning:
            found += (
                name
                for owner, name in self._selected(deep=True)
                for kind in _possible(self.schema, owner)
                if kind in returning and _is_open(kind, name)
            )
        return tuple(dict.fromkeys(found))

    def _operation(self) -> OperationDefinitionNode | None:
        return get_operation_ast(self.document, self.name)

    def _root(self) -> GraphQLObjectType | None:
        operation = self._operation()
        return None if operation is None else self.schema.get_root_type(operation.operation)

    def _selected(self, *, deep: bool) -> Iterator[tuple[GraphQLNamedType, str]]:
        """The fields, through all fragments, with the types that they are selected on; deep, those below too."""
        operation, root = self._operation(), self._root()
        if operation is None or root is None:
            return
        reading = _Reading(self.schema, self.document)
        reading.add(operation.selection_set, root)
        for owner, node in reading:
            yield owner, node.name.value
            field = _field(owner, node.name.value)
            if deep and field is not None and node.selection_set is not None:
                reading.add(node.selection_set, named_type_of(field))


class _Reading:
    """Selections still to be read: each is read once for each type, whatever leads to it."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode) -> None:
        self._types = schema.type_map
        self._fragments = {
            node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
        }
        self._waiting: deque[tuple[SelectionSetNode, GraphQLNamedType]] = deque()
        self._seen: set[tuple[int, str]] = set()

    def add(self, selection: SelectionSetNode, owner: GraphQLNamedType) -> None:
        """Read one more."""
        key = (id(selection), owner.name)
        if key not in self._seen:
            self._seen.add(key)
            self._waiting.append((selection, owner))

    def __iter__(self) -> Iterator[tuple[GraphQLNamedType, FieldNode]]:
        while self._waiting:
            selection, owner = self._waiting.popleft()
            for node in selection.selections:
                match node:
                    case FieldNode():
                        yield owner, node
                    case InlineFragmentNode(type_condition=condition):
                        kind = owner if condition is None else self._types[condition.name.value]
                        self.add(node.selection_set, kind)
                    case FragmentSpreadNode():
                        fragment = self._fragments[node.name.value]
                        self.add(fragment.selection_set, self._types[fragment.type_condition.name.value])
                    case _:
                        raise AssertionError(f"the grammar has no {node.kind} among selections")


def _possible(schema: GraphQLSchema, owner: GraphQLNamedType) -> Iterable[GraphQLNamedType]:
    """Whichever types a field selected on this one may turn out to be resolved in."""
    if isinstance(owner, (GraphQLInterfaceType, GraphQLUnionType)):
        return schema.get_possible_types(owner)
    return (owner,)


@lru_cache(maxsize=64)
def _returning(schema: GraphQLSchema) -> frozenset[GraphQLNamedType]:
    """The root types that a field of any type leads back to; none in most schemas, where one look will do."""
    roots = {schema.query_type, schema.mutation_type, schema.subscription_type}
    led_to = (
        kind
        for owner in schema.type_map.values()
        for name in _names(owner)
        if (field := _field(owner, name)) is not None
        for kind in _possible(schema, named_type_of(field))
    )
    return frozenset(kind for kind in led_to if kind in roots)


def _is_open(root: GraphQLNamedType, name: str) -> bool:
    field = _field(root, name)
    return name != _TYPENAME and not is_opened(field) and not asked_of(field)


def asked_of(field: GraphQLField | None) -> tuple[Requirement, ...]:
    """What the guards of a field ask, the outermost first; nothing of one that is not Strawberry's."""
    known = _strawberry(field)
    return () if known is None else tuple(_requirements(known))


def is_opened(field: GraphQLField | None) -> bool:
    """Whether a field is marked as public."""
    known = _strawberry(field)
    return known is not None and is_public(known)


def _field(owner: GraphQLNamedType, name: str) -> GraphQLField | None:
    return owner.fields.get(name) if isinstance(owner, (GraphQLObjectType, GraphQLInterfaceType)) else None


def _strawberry(field: GraphQLField | None) -> StrawberryField | None:
    found: object = None if field is None else field.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    return found if isinstance(found, StrawberryField) else None


def _requirements(field: StrawberryField) -> Iterator[Requirement]:
    for extension in field.extensions:
        if isinstance(extension, Guard):
            yield extension.requirement
        elif isinstance(extension, PermissionExtension):
            yield from (one.requirement for one in extension.permissions if isinstance(one, Permission))
    yield from requirements_of(resolver_of(field))


@dataclass(frozen=True, slots=True)
class _Guards:
    """What the guards of a schema ask.

    Args:
        of: What is asked of whoever selects a field, by the names of the type that it is selected on and its own.
        everything: All of that.
    """

    of: Mapping[tuple[str, str], tuple[Requirement, ...]]
    everything: frozenset[Requirement]


@lru_cache(maxsize=64)
def _guards(schema: GraphQLSchema) -> _Guards:
    """Read once what each operation is held against."""
    of = {
        (owner.name, name): tuple(asked)
        for owner in schema.type_map.values()
        for name in _names(owner)
        if (asked := dict.fromkeys(_asked(schema, owner, name)))
    }
    return _Guards(of, frozenset(chain.from_iterable(of.values())))


def _names(owner: GraphQLNamedType) -> Iterable[str]:
    return owner.fields if isinstance(owner, (GraphQLObjectType, GraphQLInterfaceType)) else ()


def _asked(schema: GraphQLSchema, owner: GraphQLNamedType, name: str) -> Iterator[Requirement]:
    for kind in _possible(schema, owner):
        field = _strawberry(_field(kind, name))
        if field is not None:
            yield from _requirements(field)
