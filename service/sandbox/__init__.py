"""Sandboxes: processes of their own in which drafts are tried out and scenarios played, bounded in time and memory.

What runs in one cannot reach the database, the files, the mail server or the clock of this installation: it is given
the files of a draft and nothing else, and may open no connection.
"""

from __future__ import annotations

from .pool import Held, Pool
from .process import Draft, Limits, Sandbox, SandboxLost
from .runs import Runs

__all__ = ["Draft", "Held", "Limits", "Pool", "Runs", "Sandbox", "SandboxLost"]
