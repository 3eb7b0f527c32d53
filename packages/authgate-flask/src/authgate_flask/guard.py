"""Guards: decorators that admit a request before its view runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any, Never, TypeVar, cast

from flask import Flask
from flask.globals import app_ctx

from authgate_core import Policy, is_project, is_user
from authgate_core.challenge import OnRefusal
from authgate_core.policy import compile_policy

from .admit import admit, put_on_g
from .installed import Installed, installed
from .installing import installed_from_settings
from .marks import Mark, mark
from .presentation import presentable
from .visit import this_request

__all__ = ["Guard", "flask_combined_auth", "flask_jwt_auth", "flask_project_auth", "requires"]

V = TypeVar("V", bound=Callable[..., Any])  # a view takes and returns whatever its route does


@dataclass(frozen=True, slots=True)
class Guard:
    """A decorator for views that admits by one policy.

    Args:
        policy: What to ask of a request.
        optional: Whether a request that presents nothing is let in.
        sets_g: Which of ``user`` and ``project`` to put on ``g``.
        find: Where the gate of an application comes from.
        words: What a refusal says where the application has no words of its own.
    """

    policy: Policy
    optional: bool = False
    sets_g: tuple[str, ...] = ()
    find: Callable[[Flask], Installed] = installed
    words: OnRefusal | None = None

    def __call__(self, view: V) -> V:
        """Put the guard before a view, which stays sync or async as it is.

        Raises:
            TypeError: If that is no function.
        """
        if isinstance(view, type):
            raise TypeError(
                f"a guard cannot wrap the class {view.__name__}: write decorators = [requires(...)] in it"
            )
        if not callable(view):
            raise TypeError(
                f"a guard wraps a view function, not {type(view).__name__}: put it below the route"
            )
        guarded = self._before_async(view) if iscoroutinefunction(view) else self._before(view)
        mark(guarded, view, Mark(self.policy, self.optional))
        return cast("V", guarded)

    def admit(self) -> None:
        """Admit the request at hand.

        Raises:
            Refusal: If it is not admitted.
            ConfigurationError: If there is no gate, or it has no source for what the policy names.
        """
        here = self.find(app_ctx.app)
        admitted = admit(here, this_request(), self.policy, optional=self.optional, words=self.words)
        if here.set_g or self.sets_g:
            put_on_g(admitted, ("user", "project") if here.set_g else self.sets_g)

    def _before(self, view: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(view)
        def guarded(*args: object, **kwargs: object) -> object:
            self.admit()
            return presentable(view(*args, **kwargs))

        return guarded

    def _before_async(self, view: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(view)
        async def guarded(*args: object, **kwargs: object) -> object:
            from asgiref.sync import sync_to_async  # noqa: PLC0415 - there wherever Flask runs an async view

            # Law 9.2: the loop may be the server's (asgiref's WsgiToAsgi), so the gate decides on the thread of the
            # request, which Flask lets wait for the view.
            await sync_to_async(self.admit)()
            return presentable(await view(*args, **kwargs))

        return guarded


def requires(policy: Policy, *, optional: bool = False) -> Callable[[V], V]:
    """Guard a view by a policy: ``@requires(is_user & all_scopes("orders:read"))``, below the route.

    Works on sync and async views, on methods of a ``MethodView``, in ``decorators = [...]`` and on functions
    given to ``before_request``. Several guards on one view must all admit; each kind is verified once.

    Args:
        policy: What to ask of a request.
        optional: Let in a request that presents none of the kinds asked for; ``current_user`` and the others
            are then false. What is presented and wrong is still refused (Law 1.4).

    Raises:
        TypeError: If used without a policy.
        ConfigurationError: If the policy can never be judged.
    """
    if not isinstance(policy, Policy):
        raise TypeError(f"requires takes a policy, not {policy!r}: write @requires(is_user)")
    compile_policy(policy)
    return Guard(policy, optional)


def flask_jwt_auth(*misused: Never) -> Callable[[V], V]:
    """Guard a view by ``is_user`` and set ``g.user``: ``@flask_jwt_auth()``.

    In an application without a gate the first such guard builds one from ``AUTHGATE_*`` (Law 1.6).
    """
    called_bare("flask_jwt_auth", misused)
    return Guard(is_user, sets_g=("user",), find=installed_from_settings)


def flask_project_auth(*misused: Never) -> Callable[[V], V]:
    """Guard a view by ``is_project`` and set ``g.project``; otherwise like ``flask_jwt_auth``."""
    called_bare("flask_project_auth", misused)
    return Guard(is_project, sets_g=("project",), find=installed_from_settings)


def flask_combined_auth(*misused: Never) -> Callable[[V], V]:
    """Guard a view by ``is_user & is_project`` and set both; otherwise like ``flask_jwt_auth``."""
    called_bare("flask_combined_auth", misused)
    return Guard(is_user & is_project, sets_g=("user", "project"), find=installed_from_settings)


def called_bare(name: str, misused: tuple[object, ...]) -> None:
    """Refuse a shortcut that was used without its parentheses, and was given the view.

    Raises:
        TypeError: Naming the fix.
    """
    if misused:
        raise TypeError(f"{name} takes no arguments: write @{name}() with its parentheses")
