"""Keycloak in development mode, with the realm of ``realm/shop.json``, as a process of its own."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import html
import os
import re
import secrets
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import httpx2

from .distribution import REALM, keycloak_folder
from .programs import HOST, Missing, Program, free_port, start, wait_until

__all__ = ["AUDIENCE", "SECRETS", "Keycloak", "java_home"]

AUDIENCE: Final = "orders-api"
SECRETS: Final = {
    "billing": "billing-secret-for-tests-alone",
    "orders-api": "orders-api-secret-for-tests-alone",
}
"""Of the confidential clients in the realm."""

_BACK: Final = "http://127.0.0.1/back"
_PATIENCE: Final = 300.0
_LOWEST_JAVA: Final = 21
_ADMIN: Final = "admin"
_JAVA_OPTIONS: Final = (
    "-Xms64m -Xmx512m -XX:MaxMetaspaceSize=256m -XX:+UseSerialGC -XX:+ExitOnOutOfMemoryError"
    " -XX:TieredStopAtLevel=1"
)
_JDK: Final = (
    "install a JDK of version 21 or newer (from Debian 13 on: apt-get install openjdk-21-jre-headless) "
    "or set JAVA_HOME"
)


@dataclass(slots=True)
class Keycloak:
    """A Keycloak of a version, whose data outlive a stop.

    Args:
        home: A copy of the distribution that is its alone.
        port: Where it listens.
        client: What it is asked with.
    """

    home: Path
    port: int
    client: httpx2.Client
    _program: Program | None = field(default=None, init=False)

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://{HOST}:{self.port}"

    @property
    def realm(self) -> str:
        """The URL of the realm, which is the ``iss`` of its tokens."""
        return f"{self.url}/realms/shop"

    @property
    def introspection_url(self) -> str:
        """Where the realm is asked about tokens."""
        return f"{self.realm}/protocol/openid-connect/token/introspect"

    def start(self) -> None:
        """Let it begin to start, and do not wait."""
        options = (f"--http-host={HOST}", f"--http-port={self.port}", "--import-realm")
        env = {
            "JAVA_HOME": str(java_home()),
            "JAVA_OPTS": _JAVA_OPTIONS,
            "KC_BOOTSTRAP_ADMIN_USERNAME": _ADMIN,
            "KC_BOOTSTRAP_ADMIN_PASSWORD": _ADMIN,
        }
        command: list[str | Path] = [self.home / "bin" / "kc.sh", "start-dev", *options]
        self._program = start("keycloak", command, env=env)

    def wait(self) -> None:
        """Wait until the realm answers."""
        assert self._program is not None
        wait_until(self._answers, self._program, _PATIENCE)

    def stop(self) -> None:
        """End it."""
        if self._program is not None:
            self._program.stop()

    def token(self, client_id: str, **form: str) -> str:
        """The access token that the token endpoint gives a client for a form."""
        secret = SECRETS.get(client_id)
        data = {"client_id": client_id, **({"client_secret": secret} if secret else {}), **form}
        answer = self.client.post(f"{self.realm}/protocol/openid-connect/token", data=data)
        assert 200 == answer.status_code, answer.text
        token: str = answer.json()["access_token"]
        return token

    def user_token(self, name: str, client_id: str = "shop-web", **form: str) -> str:
        """The token of a user, by the password grant."""
        return self.token(
            client_id, grant_type="password", username=name, password=f"{name}-password", **form
        )

    def code_token(self, name: str, client_id: str = "shop-web") -> str:
        """The token of a user who signs in on the page of the realm: an authorization code with PKCE."""
        verifier = secrets.token_urlsafe(32)
        digest = hashlib.sha256(verifier.encode()).digest()
        asked = {
            "client_id": client_id,
            "response_type": "code",
            "scope": "openid",
            "redirect_uri": _BACK,
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        page = self.client.get(f"{self.realm}/protocol/openid-connect/auth", params=asked)
        form = re.search(r'<form[^>]*action="([^"]+)"', page.text)
        assert form is not None, page.text
        # Its cookies are for TLS, or for this machine, which a browser knows and the client's jar does not.
        cookies = "; ".join(cookie.partition(";")[0] for cookie in page.headers.get_list("set-cookie"))
        sent_back = self.client.post(
            html.unescape(form[1]),
            data={"username": name, "password": f"{name}-password"},
            headers={"Cookie": cookies},
        ).headers["location"]
        (code,) = parse_qs(urlsplit(sent_back).query)["code"]
        proof = {"grant_type": "authorization_code", "code": code, "code_verifier": verifier}
        return self.token(client_id, redirect_uri=_BACK, **proof)

    def service_token(self, client_id: str = "billing") -> str:
        """The token of a client's service account."""
        return self.token(client_id, grant_type="client_credentials")

    def admin(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Ask the administration of the realm; Any because the shape is that of the path.

        Args:
            method: Of the request.
            path: Below the realm, with a slash before it, or empty.
            body: What is sent as JSON.
        """
        answer = self.client.post(
            f"{self.url}/realms/master/protocol/openid-connect/token",
            data={"grant_type": "password", "client_id": "admin-cli", "username": _ADMIN, "password": _ADMIN},
        )
        headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
        told = self.client.request(method, f"{self.url}/admin/realms/shop{path}", headers=headers, json=body)
        assert told.is_success, told.text
        return told.json() if told.content else None

    def log_out(self, name: str) -> None:
        """End every session of a user, as an administrator does."""
        (user,) = self.admin("GET", f"/users?exact=true&username={name}")
        self.admin("POST", f"/users/{user['id']}/logout")

    def tell_logouts(self, client_id: str, url: str) -> None:
        """Have the realm tell a client at this address when sessions end (OpenID Connect Back-Channel Logout 1.0)."""
        (client,) = self.admin("GET", f"/clients?clientId={client_id}")
        attributes = {**client["attributes"], "backchannel.logout.url": url}
        attributes["backchannel.logout.session.required"] = "true"
        self.admin("PUT", f"/clients/{client['id']}", {**client, "attributes": attributes})

    def signing_keys(self) -> list[str]:
        """The ids of the components that hold the realm's keys for RS256."""
        found = self.admin("GET", "/components?type=org.keycloak.keys.KeyProvider")
        return [one["id"] for one in found if one["providerId"] == "rsa-generated"]

    def add_signing_key(self, *, replacing: str | None = None) -> str:
        """Let the realm sign with a new key from now on, and give the id of its component.

        Args:
            replacing: The component that is withdrawn at the same time.
        """
        known = set(self.signing_keys())
        config = {"priority": [str(200 + len(known))], "keySize": ["2048"], "algorithm": ["RS256"]}
        component = {
            "name": f"rotated-{len(known)}",
            "providerId": "rsa-generated",
            "providerType": "org.keycloak.keys.KeyProvider",
            "config": config,
        }
        self.admin("POST", "/components", component)
        if replacing is not None:
            self.admin("DELETE", f"/components/{replacing}")
        (added,) = set(self.signing_keys()) - known
        return added

    def _answers(self) -> bool:
        with contextlib.suppress(httpx2.TransportError):
            return self.client.get(f"{self.realm}/.well-known/openid-configuration").is_success
        return False


@contextlib.contextmanager
def keycloak() -> Iterator[Keycloak]:
    """A Keycloak that has begun to start, for the length of a block.

    Raises:
        Missing: If Keycloak or a JDK is not installed.
    """
    folder = keycloak_folder()
    with (
        tempfile.TemporaryDirectory(prefix="authgate-keycloak-") as place,
        httpx2.Client(trust_env=False, timeout=60) as client,
    ):
        home = Path(place) / "home"
        shutil.copytree(folder, home, copy_function=_link)
        (home / "data" / "import").mkdir(parents=True)
        shutil.copy(REALM, home / "data" / "import")
        running = Keycloak(home, free_port(), client)
        running.start()
        try:
            yield running
        finally:
            running.stop()


def _link(source: str, target: str) -> None:
    """What Keycloak writes it writes into new files, so those of the distribution can be shared."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def java_home() -> Path:
    """The folder of a JDK that Keycloak runs on: the newest of JAVA_HOME and those that are installed.

    Raises:
        Missing: If there is none of version 21 or newer.
    """
    given = os.environ.get("JAVA_HOME")
    homes = [*([Path(given)] if given else []), *Path("/usr/lib/jvm").glob("*")]
    versions = {home: _version(home) for home in homes if (home / "bin" / "java").exists()}
    newest = max(versions, key=lambda home: versions[home], default=None)
    if newest is None or versions[newest] < _LOWEST_JAVA:
        raise Missing(f"Keycloak needs a newer Java than there is; {_JDK}")
    return newest


def _version(home: Path) -> int:
    """The first number of a JDK's version; 0 where it does not say."""
    try:
        release = (home / "release").read_text("utf-8")
    except OSError:
        return 0
    told = re.search(r'JAVA_VERSION="(\d+)', release)
    return int(told[1]) if told else 0
