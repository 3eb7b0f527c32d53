"""Which guards an operation will meet, read from its document before anything is resolved."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
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

__all__ = ["Operation"]

_TYPENAME: Final = "__typename"


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a document, as the guards of its schema see it.

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
        asked: dict[Requirement, None] = {}
        if _has_guards(self.schema):
            for parent, node in self._fields():
                asked.update(dict.fromkeys(_asked_of(self.schema, parent, node.name.value)))
        return tuple(asked)

    def open_fields(self) -> tuple[str, ...]:
        """The root fields that nobody guards and that are not marked as public, those of introspection included."""
        operation = self._operation()
        root = None if operation is None else self.schema.get_root_type(operation.operation)
        if operation is None or root is None:
            return ()
        nodes = self._selected(operation.selection_set, root, set())
        return tuple(node.name.value for parent, node in nodes if _is_open(parent, node.name.value))

    def _operation(self) -> OperationDefinitionNode | None:
        return get_operation_ast(self.document, self.name)

    def _fields(self) -> Iterator[tuple[GraphQLNamedType, FieldNode]]:
        operation = self._operation()
        root = None if operation is None else self.schema.get_root_type(operation.operation)
        if operation is not None and root is not None:
            yield from self._below(operation.selection_set, root)

    def _below(
        self, selection: SelectionSetNode, parent: GraphQLNamedType
    ) -> Iterator[tuple[GraphQLNamedType, FieldNode]]:
        for owner, node in self._selected(selection, parent, set()):
            yield owner, node
            field = _field(owner, node.name.value)
            if field is not None and node.selection_set is not None:
                yield from self._below(node.selection_set, named_type_of(field))

    def _selected(
        self, selection: SelectionSetNode, parent: GraphQLNamedType, seen: set[str]
    ) -> Iterator[tuple[GraphQLNamedType, FieldNode]]:
        """The fields of one selection, through its fragments, with the types that they are selected on."""
        for node in selection.selections:
            match node:
                case FieldNode():
                    yield parent, node
                case InlineFragmentNode():
                    condition = node.type_condition
                    owner = parent if condition is None else self.schema.type_map[condition.name.value]
                    yield from self._selected(node.selection_set, owner, seen)
                case FragmentSpreadNode() if node.name.value not in seen:
                    fragment = self._fragments()[node.name.value]
                    owner = self.schema.type_map[fragment.type_condition.name.value]
                    yield from self._selected(fragment.selection_set, owner, {*seen, node.name.value})
                case _:
                    pass

    def _fragments(self) -> Mapping[str, FragmentDefinitionNode]:
        return {
            node.name.value: node
            for node in self.document.definitions
            if isinstance(node, FragmentDefinitionNode)
        }


def _asked_of(schema: GraphQLSchema, parent: GraphQLNamedType, name: str) -> Iterator[Requirement]:
    """What the guards of a field ask, in whichever type it may turn out to be resolved."""
    for owner in _possible(schema, parent):
        field = _strawberry(_field(owner, name))
        if field is not None:
            yield from _requirements(field)


def _possible(schema: GraphQLSchema, parent: GraphQLNamedType) -> Iterable[GraphQLNamedType]:
    if isinstance(parent, (GraphQLInterfaceType, GraphQLUnionType)):
        return schema.get_possible_types(parent)
    return (parent,)


def _is_open(parent: GraphQLNamedType, name: str) -> bool:
    if name == _TYPENAME:
        return False
    field = _strawberry(_field(parent, name))
    return field is None or not (is_public(field) or any(True for _ in _requirements(field)))


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


@lru_cache(maxsize=64)
def _has_guards(schema: GraphQLSchema) -> bool:
    """Whether any field has a guard."""
    types = (kind for kind in schema.type_map.values() if isinstance(kind, GraphQLObjectType))
    fields = (_strawberry(field) for kind in types for field in kind.fields.values())
    return any(True for field in fields if field is not None for _ in _requirements(field))
