"""Where a context holds the request, and where guards put whom they let in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from contextlib import suppress
from typing import Any, Final, cast

from authgate_core import Admission, AsyncGate, ConfigurationError, Gate, Project, User

from .carriers import AuthenticatedRequest
from .hosts import AsgiHost, host_of
from .visit import AsgiVisit, Visit, WsgiVisit

__all__ = ["known_visit", "show", "visit_of"]

_ATTRIBUTE: Final = "_authgate_graphql"
_NAMES: Final = ("request", "req")
_item: Final = cast("Callable[[object, str], object]", dict.get)
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
    # The way of nearly all fields first: it is walked once for each of them.
    kind = type(context)
    near = _item(context, "request") if kind is dict else context
    known: Visit | None = getattr(near, _ATTRIBUTE, None)
    if known is not None and known.request is near and gate is None:
        return known
    return _found(context, gate)


def _found(context: object, gate: Gate | AsyncGate | None) -> Visit:
    holder = _holder(context)
    request = _request(holder)
    visit: Visit | None = getattr(request, _ATTRIBUTE, None)
    if visit is not None and (gate is None or visit.given is gate):
        return visit
    given = gate or (holder.gate if isinstance(holder, AuthenticatedRequest) else None)
    host = host_of(request, context)
    visit = AsgiVisit(host, given) if isinstance(host, AsgiHost) else WsgiVisit(host, given)
    setattr(request, _ATTRIBUTE, visit)
    return visit


def known_visit(context: object) -> Visit | None:
    """The visit of the request in a context, if any guard has seen it."""
    known: Visit | None = getattr(_request(_holder(context)), _ATTRIBUTE, None)
    return known


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
        with suppress(AttributeError):  # frozen, or without such a slot
            setattr(target, name, principal)


def _holder(context: object) -> object:
    """What holds the request in a context: the request itself, or an ``AuthenticatedRequest``."""
    if type(context) is dict:
        held = cast("dict[str, object]", context)
        found = held.get("request")
        return held.get("req") if found is None else found
    if isinstance(context, AuthenticatedRequest):
        return context
    if _has_items(context):
        items = cast("Mapping[str, object]", context)
        return next((items[name] for name in _NAMES if name in items), None)
    return next((getattr(context, name) for name in _NAMES if hasattr(context, name)), context)


def _has_items(context: object) -> bool:
    return isinstance(context, Mapping) and not _is_request(cast("object", context))


def _request(holder: object) -> object:
    request = holder.request if isinstance(holder, AuthenticatedRequest) else holder
    # A proxy (Flask's `request`) stands for another request each time; what counts is the one behind it.
    current = getattr(type(request), "_get_current_object", None)
    found: object = request if current is None else cast("Any", request)._get_current_object()  # noqa: SLF001 - werkzeug's documented name
    if not _is_request(found):
        raise ConfigurationError(
            "the context of this GraphQL operation holds no request: give it as "
            'context={"request": request}, or as an attribute named request'
        )
    return found


def _is_request(candidate: object) -> bool:
    return hasattr(candidate, "environ") or hasattr(candidate, "scope")
