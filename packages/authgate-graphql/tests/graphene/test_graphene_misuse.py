from collections.abc import Callable
from functools import partial
from typing import Any

import graphene
import pytest

from authgate_core import ConfigurationError, any_role, is_project, is_user
from authgate_graphql.graphene import (
    AuthGateMiddleware,
    combined_auth_required,
    jwt_auth_required,
    project_auth_required,
    protect,
    public,
    requires,
)

SHORTCUTS = [jwt_auth_required, project_auth_required, combined_auth_required]


class Query(graphene.ObjectType):
    me = graphene.String()


class TestShortcuts:
    @pytest.mark.parametrize("shortcut", SHORTCUTS)
    def test_take_no_parentheses(self, shortcut: Callable[..., Any]) -> None:
        """They are what stands above a resolver, not what makes it."""
        with pytest.raises(TypeError, match=f"write @{shortcut.__name__} without parentheses"):
            shortcut()

    @pytest.mark.parametrize("shortcut", SHORTCUTS)
    @pytest.mark.parametrize(
        "wrong", [Query, graphene.String(), graphene.Field(graphene.String), "resolve_me", 1]
    )
    def test_stand_above_a_resolver(self, shortcut: Callable[..., Any], wrong: Any) -> None:
        """And above no class, no field and nothing else."""
        with pytest.raises(TypeError, match="above resolve_x, mutate or subscribe_x"):
            shortcut(wrong)


class TestRequires:
    def test_takes_a_policy(self) -> None:
        """The error of a bare ``@requires`` says so."""
        with pytest.raises(TypeError, match=r"write requires\(is_user\)"):
            requires(lambda root, info: "x")  # type: ignore[arg-type]

    def test_takes_a_policy_that_can_be_judged(self) -> None:
        """What can never be is found where it is written (Law 1.6)."""
        with pytest.raises(ConfigurationError, match="of="):
            requires(is_user & is_project & any_role("admin"))

    @pytest.mark.parametrize(
        "resolver",
        [lambda: "x", lambda root: root, lambda root, *, key=1: root],
        ids=["takes nothing", "takes root", "takes a key"],
    )
    def test_needs_a_resolver_with_info(self, resolver: Callable[..., Any]) -> None:
        """It is what the request is found by."""
        with pytest.raises(TypeError, match="finds the request through `info`"):
            requires(is_user)(resolver)

    def test_names_the_resolver_without_info(self) -> None:
        """And how to write it."""

        def resolve_me(root: Any) -> str:
            return "me"

        with pytest.raises(TypeError, match=r"write resolve_me\(root, info, \.\.\.\)"):
            requires(is_user)(resolve_me)


class TestClosing:
    def test_a_middleware_that_guards_nothing_is_refused(self) -> None:
        """It would be read as one that guards everything."""
        with pytest.raises(ConfigurationError, match=r"AuthGateMiddleware\(\) guards nothing"):
            AuthGateMiddleware()

    def test_a_protection_of_nothing_is_refused(self) -> None:
        """Likewise."""
        with pytest.raises(ConfigurationError, match=r"protect\(schema, None\) guards nothing"):
            protect(graphene.Schema(query=Query), None)

    def test_a_schema_is_protected_once(self) -> None:
        """A second default would be judged nowhere."""
        schema = graphene.Schema(query=Query)
        protect(schema, is_user)
        with pytest.raises(ConfigurationError, match="protected already"):
            protect(schema, is_project)

    @pytest.mark.parametrize("wrong", [Query, None, "schema"])
    def test_what_is_protected_is_a_schema(self, wrong: Any) -> None:
        """Neither a type nor anything else."""
        with pytest.raises(TypeError, match=r"protect\(graphene.Schema"):
            protect(wrong, is_user)

    @pytest.mark.parametrize("build", [AuthGateMiddleware, partial(protect, graphene.Schema(query=Query))])
    def test_a_default_is_a_policy(self, build: Callable[[Any], Any]) -> None:
        """And one that can be judged (Law 1.6)."""
        with pytest.raises(TypeError, match="takes a policy"):
            build(lambda root, info: True)
        with pytest.raises(ConfigurationError, match="of="):
            build(is_user & is_project & any_role("admin"))

    @pytest.mark.parametrize("wrong", [Query, graphene.String(), "resolve_me"])
    def test_public_marks_a_resolver(self, wrong: Any) -> None:
        """And no class or field."""
        with pytest.raises(TypeError, match="@public marks a resolver function"):
            public(wrong)
