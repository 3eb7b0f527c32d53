"""Runners: perform the effects of a flow with sync or async ports."""

from .ports import AsyncPorts, Ports
from .run import AsyncRunner, Runner

__all__ = ["AsyncPorts", "AsyncRunner", "Ports", "Runner"]
