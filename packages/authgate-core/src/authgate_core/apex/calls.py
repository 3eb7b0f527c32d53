"""What an apex is asked, as flows: the same for both colours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar, cast
from urllib.parse import urlencode

from ..clients import ClientSecret, bearer_request
from ..effects import Flow, SendRequest
from ..errors import ConfigurationError, EndpointRefused, EndpointUnavailable, LoginRefused, TokenInactive
from ..issuer import Apex, ApexUser, ServiceUser, model_of, read_member, read_user
from ..request import HttpReply, HttpRequest
from ..secret import Secret
from .permissions import Permission, PermissionPlan, check_definitions, plan_for, read_permission
from .replies import Actor, access_token, data_of, readable, refuse, whole_of

__all__ = ["Calls", "exchange", "log_in"]

M = TypeVar("M")

_FORM: Final = (("accept", "application/json"), ("content-type", "application/x-www-form-urlencoded"))


@dataclass(frozen=True, slots=True)
class Calls(Generic[M]):
    """Everything that an apex can be asked about users and one service.

    Args:
        spec: Which apex and which service.
        model: What the metadata of the service's users must fit.
        plain_http: Whether plain http beyond loopback was allowed.

    Raises:
        ConfigurationError: Naming everything that is wrong with these (Law 1.6).
    """

    spec: Apex
    model: type[M]
    plain_http: bool = False

    def __post_init__(self) -> None:
        problems = [*self.spec.problems(plain_http=self.plain_http)]
        if self.spec.service is None:
            problems.append("service: write what apex calls this service")
        if problems:
            raise ConfigurationError(*problems)

    def user(self, actor: Actor) -> Flow[ApexUser]:
        """Whose a token is."""
        reply = yield from self._sent(actor, self.spec.user_url)
        if reply.status != 200:
            refuse(reply, actor, "see whose its token is")
        return readable(read_user, whole_of(reply))

    def metadata(self, actor: Actor, user_id: str) -> Flow[M | None]:
        """What the service keeps about a user; None where nothing."""
        reply = yield from self._sent(actor, self.spec.metadata_url(_segment(user_id)))
        if reply.status == 404:
            return None
        if reply.status != 200:
            refuse(reply, actor, "see the metadata of a user")
        kept = data_of(reply).get("metadata")
        inner = cast("Mapping[str, object]", kept).get("metadata") if isinstance(kept, Mapping) else 0
        if inner is not None and not isinstance(inner, Mapping):
            raise EndpointUnavailable("apex: metadata is no object")
        return self._modelled(user_id, cast("Mapping[str, Any] | None", inner))

    def member(self, actor: Actor, user_id: str) -> Flow[ServiceUser[M] | None]:
        """What a user is to the service; None for whom it does not know."""
        reply = yield from self._sent(actor, self.spec.member_url(_segment(user_id)))
        if reply.status == 404:
            return None
        if reply.status != 200:
            refuse(reply, actor, "see a user of the service")
        return self.read(data_of(reply).get("user"))

    def users_request(self, actor: Actor) -> HttpRequest:
        """The request for all users of the service, whose answer is read piece by piece."""
        return bearer_request(self.spec.users_url, _shown(actor), plain_http=self.plain_http)

    def permissions(self, actor: Actor) -> Flow[tuple[Permission, ...]]:
        """The permissions of the service, in the order of the apex."""
        reply = yield from self._sent(actor, self.spec.permissions_url)
        if reply.status != 200:
            refuse(reply, actor, "see the permissions of the service")
        sent = data_of(reply).get("permissions")
        if not isinstance(sent, list):
            raise EndpointUnavailable("apex: permissions are no list")
        return tuple(readable(read_permission, one) for one in cast("list[object]", sent))

    def sync(self, actor: Actor, wanted: Iterable[Permission], *, dry_run: bool) -> Flow[PermissionPlan]:
        """Make the permissions of the service these, and no others."""
        definitions = check_definitions(wanted)
        plan = plan_for(definitions, (yield from self.permissions(actor)))
        if not dry_run:
            for permission in plan.create:
                yield from self._create(actor, permission)
            for permission in plan.delete:
                yield from self._delete(actor, str(permission.id))
        return plan

    def read(self, sent: object) -> ServiceUser[M]:
        """A user of the service, with metadata of the form that was configured."""
        member = readable(read_member, sent)
        metadata = self._modelled(member.user.id, member.metadata)
        return ServiceUser(member.user, member.is_service_admin, metadata)

    def _create(self, actor: Actor, permission: Permission) -> Flow[None]:
        sent = permission.definition()
        reply = yield from self._sent(actor, self.spec.permissions_url, "POST", sent)
        if not 200 <= reply.status < 300:
            refuse(reply, actor, "create a permission")

    def _delete(self, actor: Actor, permission_id: str) -> Flow[None]:
        reply = yield from self._sent(actor, self.spec.permission_url(permission_id), "DELETE")
        if not 200 <= reply.status < 300 and reply.status != 404:  # somebody was faster
            refuse(reply, actor, "delete a permission")

    def _sent(self, actor: Actor, url: str, method: str = "GET", sent: object = None) -> Flow[HttpReply]:
        request = bearer_request(url, _shown(actor), plain_http=self.plain_http, method=method, sent=sent)
        return (yield from SendRequest(request))

    def _modelled(self, user_id: str, metadata: Mapping[str, Any] | None) -> M | None:
        """Metadata in its form; empty metadata that does not fit is none, as for the gate."""
        found = None if metadata is None else model_of(self.model, metadata)
        if found is None and metadata:
            name = self.model.__name__
            raise EndpointUnavailable(f"apex: the metadata of user {user_id!r} does not fit {name}")
        return found


def log_in(spec: Apex, username: str, password: Secret, *, plain_http: bool) -> Flow[str]:
    """The token of somebody who has a password; raises as ``access_token``."""
    form = {
        "grant_type": "password",
        "username": username,
        "password": password.reveal(),
        "scope": "",
        "client_id": "",
        "client_secret": "",
    }
    return access_token((yield from SendRequest(_form_request(spec.login_url, form, plain_http=plain_http))))


def exchange(
    spec: Apex, client: ClientSecret, code: Secret, code_verifier: Secret | None, *, plain_http: bool
) -> Flow[str]:
    """The token of somebody who has logged in in a browser; raises as ``access_token``."""
    secret = client.secret.reveal() if isinstance(client.secret, Secret) else client.secret
    form = {"code": code.reveal(), "client_id": client.client_id, "client_secret": secret}
    if code_verifier is not None:
        form["code_verifier"] = code_verifier.reveal()
    return access_token((yield from SendRequest(_form_request(spec.code_url, form, plain_http=plain_http))))


def _form_request(url: str, form: Mapping[str, str], *, plain_http: bool) -> HttpRequest:
    # Law 2.5: the original error holds the password, so it is not even the context of ours.
    with suppress(UnicodeEncodeError):
        body = urlencode(form).encode()
        return HttpRequest("POST", url, _FORM, body, plain_http=plain_http, refusal_body=True)
    raise LoginRefused("half a surrogate pair was presented, which nobody can be asked about")


def _shown(actor: Actor) -> str:
    """The token as a header can hold it; of what no issuer hands out nobody is asked (Law 3.11)."""
    token = actor.token.reveal()
    if token and token.isascii() and token.isprintable() and " " not in token:
        return token
    kind = EndpointRefused if actor.is_service else TokenInactive
    raise kind("not one word of printable ASCII, which is nobody's token")


def _segment(user_id: str) -> str:
    if not user_id.strip("."):
        raise ValueError(f"{user_id!r} identifies no user")
    return user_id
