"""``threading``: where each thread was started."""

from __future__ import annotations

from types import ModuleType

from .. import _native


def hook(threading: ModuleType) -> None:
    """Record the stack of ``Thread.start``, which reports show as the thread's origin."""
    _native.watch_function(threading.Thread.start, "born", "FT101", "start")
