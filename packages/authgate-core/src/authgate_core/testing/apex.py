"""A real apex for tests, demos and examples, as far as a service sees one."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from secrets import token_urlsafe
from typing import Any, Final
from urllib.parse import parse_qs, unquote
from uuid import uuid4

from .apex_services import FORBIDDEN, NOT_FOUND, FakeService, json_answer
from .served import Served
from .server import Answer, Asked

__all__ = ["CODE_PATH", "LOGIN_PATH", "USER_PATH", "FakeApex"]

USER_PATH: Final = "/auth/user"

LOGIN_PATH: Final = "/auth/login"

CODE_PATH: Final = "/auth/oauth/token"

_BEARER: Final = "Bearer "
_UNAUTHORIZED: Final = Answer(b'{"detail":"Could not validate credentials"}', status=401)


@dataclass(slots=True)
class _Person:
    shown: dict[str, Any]
    password: str


class FakeApex(Served):
    """The apex of the profile of that name: people, what they are to services, permissions, and real HTTP.

    Served like a ``FakeIssuer``, and as easily put out of order::

        with FakeApex() as apex:
            user = apex.add_user("ada", password="...", metadata={"orders": {"approves": True}})
            issuer = Issuer.apex(apex.url, audience=ANY_AUDIENCE, service="orders")
            Gate(GateConfig(issuers=[issuer])).verify_token(apex.token(user), has_metadata("approves", True))

    It lets admins and the admins of a service see the service's users and change its permissions, and services too,
    by the token that ``service_token`` gives; everybody may see what they themselves are.

    Attributes:
        received: The form of every login and every code that was exchanged, in order.
    """

    def __init__(self) -> None:
        super().__init__()
        self.received: list[dict[str, str]] = []
        self._people: dict[str, _Person] = {}
        self._services: dict[str, FakeService] = {}
        self._tokens: dict[str, str] = {}
        self._codes: dict[str, str] = {}
        self._clients: dict[str, str] = {}
        self._programs: dict[str, str] = {}
        self._creates = True

    @property
    def url(self) -> str:
        """Where it is; to be asked for once it was served."""
        return self._address or ""

    def add_user(
        self,
        username: str = "ada",
        *,
        password: str = "",
        is_admin: bool = False,
        admin_of: Sequence[str] = (),
        metadata: Mapping[str, Mapping[str, object]] | None = None,
        **members: object,
    ) -> str:
        """Add a person; returns the id.

        Args:
            username: What they log in with.
            password: And with what else; nobody logs in with none.
            is_admin: Whether they may administer everything.
            admin_of: The services that they may administer.
            metadata: What they are to each service that knows them.
            members: Members of the user object to add or replace.
        """
        names = {"first_name": username.title(), "last_name": "Example", "phone_number": "+1 555 0100"}
        shown = {"username": username, "email": f"{username}@example.com", **names, "is_admin": is_admin}
        person: dict[str, Any] = {
            "id": str(uuid4()),
            "hashed_password": "$2b$12$not-for-you",
            **shown,
            **members,
        }
        user_id = str(person["id"])
        self._people[user_id] = _Person(person, password)
        for service in {*admin_of, *(metadata or {})}:
            self.set_member(service, user_id, (metadata or {}).get(service, {}), is_admin=service in admin_of)
        return user_id

    def set_member(
        self, service: str, user_id: str, metadata: Mapping[str, object] | None, *, is_admin: bool = False
    ) -> None:
        """Say what a user is to a service."""
        member = {"is_service_admin": is_admin, "metadata": metadata}
        self._services.setdefault(service, FakeService()).members[user_id] = member

    def drop_member(self, service: str, user_id: str) -> None:
        """Have a service know a user no longer."""
        del self._services[service].members[user_id]

    def add_service(self, service: str, permissions: Sequence[Mapping[str, object]] = ()) -> None:
        """Add a service, with permissions as they stand in its answers, each with an ``id``."""
        self._services.setdefault(service, FakeService()).permissions += [dict(one) for one in permissions]

    def stop_creating(self) -> None:
        """Answer from here on whoever makes a permission with an error; everything else goes on."""
        self._creates = False

    def permissions(self, service: str) -> list[dict[str, Any]]:
        """The permissions of a service, in the order in which they were made; Any because they are JSON."""
        return [dict(permission) for permission in self._services[service].permissions]

    def token(self, user_id: str) -> str:
        """A new token of a person."""
        token = token_urlsafe(24)
        self.know(token, user_id)
        return token

    def know(self, token: str, user_id: str) -> None:
        """Say from here on that a token is a person's, whatever it looks like."""
        self._tokens[token] = user_id

    @property
    def user_ids(self) -> tuple[str, ...]:
        """The ids of all people, in the order in which they came."""
        return tuple(self._people)

    def service_token(self, service: str) -> str:
        """A new token by which a service acts for itself."""
        token = token_urlsafe(24)
        self._programs[token] = service
        return token

    def end(self, token: str) -> None:
        """Say from here on that a token is nobody's."""
        self._tokens.pop(token, None)

    def add_client(self, client_id: str, client_secret: str) -> None:
        """Add a client that may exchange codes."""
        self._clients[client_id] = client_secret

    def code(self, user_id: str) -> str:
        """A new code, as a login in a browser ends with; it is exchanged once."""
        code = token_urlsafe(16)
        self._codes[code] = user_id
        return code

    def _truth(self, asked: Asked) -> Answer:
        match asked.method, *asked.path.strip("/").split("/"):
            case "POST", "auth", "login":
                return self._login(self._form(asked))
            case "POST", "auth", "oauth", "token":
                return self._exchange(self._form(asked))
            case "GET", "auth", "user":
                person = self._people.get(self._bearer(asked))
                return _UNAUTHORIZED if person is None else json_answer(person.shown)
            case _, "services", service, *rest:
                return self._of_service(asked, unquote(service), [*map(unquote, rest)])
            case _:
                return NOT_FOUND

    def _bearer(self, asked: Asked) -> str:
        """Whose the token of a request is; empty for nobody's."""
        return self._tokens.get(asked.headers.get("authorization", "").removeprefix(_BEARER), "")

    def _form(self, asked: Asked) -> dict[str, str]:
        form = {
            name: values[-1] for name, values in parse_qs(asked.body.decode(), keep_blank_values=True).items()
        }
        self.received.append(form)
        return form

    def _login(self, form: Mapping[str, str]) -> Answer:
        shown = form.get("username"), form.get("password")
        if form.get("grant_type") == "password":
            for user_id, person in self._people.items():
                if person.password and (person.shown["username"], person.password) == shown:
                    return json_answer({"access_token": self.token(user_id), "token_type": "bearer"})
        return _UNAUTHORIZED

    def _exchange(self, form: Mapping[str, str]) -> Answer:
        secret = self._clients.get(form.get("client_id", ""))
        if secret is None or form.get("client_secret") != secret:
            return _UNAUTHORIZED
        user_id = self._codes.pop(form.get("code", ""), None)
        return _UNAUTHORIZED if user_id is None else json_answer({"access_token": self.token(user_id)})

    def _of_service(self, asked: Asked, name: str, what: list[str]) -> Answer:
        user_id, service = self._bearer(asked), self._services.get(name)
        program = self._programs.get(asked.headers.get("authorization", "").removeprefix(_BEARER))
        if user_id not in self._people and program is None:
            return _UNAUTHORIZED
        if service is None:
            return NOT_FOUND
        is_own = asked.method == "GET" and what[1:] == [user_id]
        if not (is_own or program == name or service.is_admin(user_id) or self._is_admin(user_id)):
            return FORBIDDEN
        match asked.method, what:
            case "GET", _:
                return service.get(what, {who: person.shown for who, person in self._people.items()})
            case "POST", ["permissions"] if not self._creates:
                return Answer(b"", status=500)
            case "POST", ["permissions"]:
                return service.create(json.loads(asked.body))
            case "DELETE", ["permissions", which]:
                return service.delete(which)
            case _:
                return NOT_FOUND

    def _is_admin(self, user_id: str) -> bool:
        person = self._people.get(user_id)
        return person is not None and person.shown["is_admin"] is True
