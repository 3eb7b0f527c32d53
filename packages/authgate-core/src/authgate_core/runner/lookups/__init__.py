"""Calling a project directory: one call for each credential, few at a time, answers into the cache (Law 6.3).

The directory is the user's, and so are its time-outs: who waits for a call waits as long as the call takes.
"""

from .asynchronous import AsyncProjectLookups
from .sync import ProjectLookups

__all__ = ["AsyncProjectLookups", "ProjectLookups"]
