"""Where a context holds the request, and where guards put whom they let in."""

from __future__ import annotations

import threading
from collections.abc import Mapping, MutableMapping
from contextlib import suppress
from typing import Any, Final, cast

from authgate_core import Admission, AsyncGate, ConfigurationError, Gate, Project, User

from .asgi import AsgiVisit
from .carriers import AuthenticatedRequest, GqlContext
from .hosts import AsgiHost, host_of
from .visit import Visit
from .wsgi import WsgiVisit

__all__ = ["known_visit", "show", "visit_of"]

_ATTRIBUTE: Final = "_authgate_graphql"
_MAKING: Final = "_authgate_graphql_making"
_NAMES: Final = ("request", "req")
_proxies: Final[set[type]] = set()  # the classes that were found to be some
_requests: Final[set[type]] = set()  # those that stand for themselves
_KINDS: Final = {"user": User, "project": Project}


def visit_of(context: object, gate: Gate | AsyncGate | None = None) -> Visit:
    """The visit of the request that a context holds: the same for every operation of that request.

    It is kept on the request object, which nobody but the server makes, and never in the context (Law 2.6).

    Args:
        context: What the view hands to resolvers: a dict or an object with ``request`` or ``req``, or the
            request itself.
        gate: Who judges, where that is not the gate of the app around the view.

    Raises:
        ConfigurationError: If the context holds no request, or the app no gate that can judge it.
    """
    visit = known_visit(context)
    if visit is not None and _fits(visit, gate):
        return visit
    held = context
    near: Any = cast("dict[str, object]", held).get("request") if type(held) is dict else None
    if type(near) in _requests:  # as behind most views: nothing stands between
        holder = request = near
    else:
        holder = _holder(context)
        request = _request(holder)
    # Threads that resolve fields of one request would begin a visit each. The lock is the request's own: one for
    # all, held by another thread at a fork, would be held for ever in the child (Law 9.5).
    with cast("dict[str, threading.Lock]", request.__dict__).setdefault(_MAKING, threading.Lock()):
        visit = _kept_on(request)
        if visit is not None and _fits(visit, gate):
            return visit
        return _begun(holder, request, context, gate)


def _fits(visit: Visit, gate: Gate | AsyncGate | None) -> bool:
    return gate is None or visit.given is gate


def _kept_on(request: object) -> Visit | None:
    """The visit of this very request: whoever copies one copies what is kept on it."""
    visit: Visit | None = getattr(request, _ATTRIBUTE, None)
    return visit if visit is not None and visit.request is request else None


def _begun(holder: object, request: Any, context: object, gate: Gate | AsyncGate | None) -> Visit:  # noqa: ANN401 - of whichever framework
    given = gate or (holder.gate if isinstance(holder, AuthenticatedRequest) else None)
    host = host_of(request, context)
    visit = AsgiVisit(host, given) if isinstance(host, AsgiHost) else WsgiVisit(host, given)
    setattr(request, _ATTRIBUTE, visit)
    return visit


def known_visit(context: object) -> Visit | None:
    """The visit of the request in a context, if any guard has seen it; every guarded field asks."""
    # What most contexts are comes first, and is found without a further call.
    kind = type(context)
    held: Any = context
    near: Any
    if kind is dict:
        near = held.get("request")
    elif kind is GqlContext:
        near = held.req
    else:
        near = getattr(context, "request", context)
    if type(near) in _requests:
        kept: Visit | None = getattr(near, _ATTRIBUTE, None)
        if kept is not None and kept.request is near:
            return kept
    if type(near) is AuthenticatedRequest:
        near = near.request
    if type(near) in _proxies:
        near = near._get_current_object()  # noqa: SLF001 - werkzeug's, and documented
    visit: Visit | None = getattr(near, _ATTRIBUTE, None)
    if visit is not None and visit.request is near:
        return visit
    return None if type(near) in _requests else _kept_on(_behind(_holder(context)))


def show(context: object, admission: Admission, names: tuple[str, ...]) -> None:
    """Copy whom a guard has let in to where resolvers read it, which is no evidence of anything (Law 2.6).

    Args:
        context: A dict gets the items ``user`` and ``project``, an object the attributes, and so does the
            ``AuthenticatedRequest`` in it. A context that cannot be written is left as it is.
        admission: Everyone who was let in.
        names: Which of the two.
    """
    for name in names:
        principal = admission.get(_KINDS[name])
        _put(context, name, principal)
        _put(_holder(context), name, principal)


def _put(target: Any, name: str, principal: object) -> None:  # noqa: ANN401 - a context, or what it holds
    if isinstance(target, MutableMapping):
        target[name] = principal
    elif isinstance(target, AuthenticatedRequest) or not _is_request(target):
        # A request of a framework is not ours to write: its `user` means something else.
        # Frozen, without such a slot, or a model without such a field: they raise what they like.
        with suppress(AttributeError, TypeError, ValueError):
            setattr(target, name, principal)


def _holder(context: object) -> object:
    """What holds the request in a context: the request itself, or an ``AuthenticatedRequest``."""
    if isinstance(context, AuthenticatedRequest):
        return context
    if _has_items(context):
        items = cast("Mapping[str, object]", context)
        return next((held for name in _NAMES if (held := items.get(name)) is not None), None)
    named = (getattr(context, name, None) for name in _NAMES)
    return next((held for held in named if held is not None), context)


def _has_items(context: object) -> bool:
    return isinstance(context, Mapping) and not _is_request(cast("object", context))


def _request(holder: object) -> Any:  # noqa: ANN401 - of whichever framework
    found = _behind(holder)
    if not _is_request(found):
        raise ConfigurationError(
            "the context of this GraphQL operation holds no request: give it as "
            'context={"request": request}, or as an attribute named request'
        )
    _requests.add(cast("type[object]", type(found)))
    return found


def _behind(holder: object) -> Any:  # noqa: ANN401 - as above
    """The request that something stands for: a proxy (Flask's ``request``) for another one each time."""
    request: Any = holder.request if isinstance(holder, AuthenticatedRequest) else holder
    kind = cast("type[object]", type(request))
    if hasattr(kind, "_get_current_object"):
        _proxies.add(kind)
        return request._get_current_object()  # noqa: SLF001 - werkzeug's, and documented
    return request


def _is_request(candidate: object) -> bool:
    return hasattr(candidate, "environ") or hasattr(candidate, "scope")
