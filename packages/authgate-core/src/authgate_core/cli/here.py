"""Which gate a command is about: that of an application, or the one that the environment describes."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, TypeAlias, cast

import typer

from ..config import GateConfig
from ..errors import ConfigurationError
from .adapters import gate_finder
from .mistakes import Mistake, without_values

__all__ = ["AppOption", "Here", "config_in", "load", "settings"]

_SHAPE: Final = "write MODULE:NAME, as in --app orders.main:app"

AppOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--app",
        metavar="MODULE:NAME",
        help="The application, gate or GateConfig; by default what the environment describes.",
    ),
]


@dataclass(frozen=True, slots=True)
class Here:
    """Where commands are run, if that is inside an application.

    Args:
        config: The configuration of its gate.
    """

    config: GateConfig | None = None


def settings(context: typer.Context, app: str | None) -> GateConfig:
    """The configuration that a command is about.

    Args:
        context: Of the command; it holds where the command is run.
        app: What ``--app`` says.

    Raises:
        ConfigurationError: If it is wrong.
        Mistake: If there is none.
    """
    here = cast("Here", context.obj)
    if app is not None:
        return config_in(load(app), app)
    return GateConfig.from_env() if here.config is None else here.config


def config_in(found: object, name: str) -> GateConfig:
    """The configuration that an object is, has, or has a gate with.

    Raises:
        Mistake: If it has none.
    """
    gate_of = gate_finder(found)
    gate = found if gate_of is None else gate_of(found)
    config: object = gate if isinstance(gate, GateConfig) else getattr(gate, "config", None)
    if isinstance(config, GateConfig):
        return config
    if gate_of is not None:
        raise Mistake(f"{name} has no gate; add AuthGate(app) where it is created")
    raise Mistake(f"{name} is a {type(found).__name__}; name an application, a gate or a GateConfig")


def load(name: str) -> object:
    """What ``MODULE:NAME`` means; with ``()`` behind it, what that returns.

    Raises:
        ConfigurationError: If a gate is made on the way whose settings are wrong.
        Mistake: If it is not there, or its code fails.
    """
    module, colon, path = name.partition(":")
    if not module or not colon or not path:
        raise Mistake(f"{name!r} names nothing; {_SHAPE}")
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    attribute = path.removesuffix("()")
    found = _found(_imported(module), attribute, name)
    if attribute == path:
        return found
    if not callable(found):
        raise Mistake(f"{attribute} of {module} cannot be called; leave out the brackets")
    return _ran(cast("Callable[[], object]", found), f"{attribute}()")


def _found(module: object, path: str, name: str) -> object:
    found = module
    for part in path.split("."):
        try:
            found = cast("object", getattr(found, part))
        except AttributeError:
            raise Mistake(f"{name}: there is no {part} in it; {_SHAPE}") from None
    return found


def _imported(module: str) -> object:
    try:
        return _ran(lambda: importlib.import_module(module), f"importing {module}")
    except ModuleNotFoundError as error:
        raise Mistake(
            f"no module {error.name!r}; run the command in the folder that {module} is imported from"
        ) from None


def _ran(call: Callable[[], object], task: str) -> object:
    """What the code of the application gives; of what it raises only kind and place are told (Law 2.5)."""
    try:
        return call()
    except (ConfigurationError, ModuleNotFoundError):
        raise
    except Exception as error:  # noqa: BLE001 - the code of the application may raise anything
        raise Mistake(without_values(error, task)) from None
    except SystemExit:
        raise Mistake(
            f"{task} ended the process; guard what runs a server with __name__ == '__main__'"
        ) from None
