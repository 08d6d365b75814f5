"""What is watched: one table per library, applied when (and only if) the program imports that library."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType

from .. import _native
from . import asyncio_table, threading_table
from .on_import import after_import

#: Module whose import completes a library -> what hooks it then.
TABLES: dict[str, Callable[[ModuleType], None]] = {
    "asyncio": asyncio_table.hook,
    "threading": threading_table.hook,
}


def install() -> None:
    """Hook what is imported already, and the rest when it is imported."""
    waiting = {}
    for name, hook in TABLES.items():
        module = sys.modules.get(name)
        # A module that is being imported right now has no __spec__._initializing to wait for from here; its hook runs on it as
        # it is, and what is missing is reported.
        if module is None:
            waiting[name] = _guarded(name, hook)
        else:
            _guarded(name, hook)(module)
    after_import(waiting)


def _guarded(name: str, hook: Callable[[ModuleType], None]) -> Callable[[ModuleType], None]:
    def apply(module: ModuleType) -> None:
        try:
            hook(module)
        except Exception as error:
            _native.turn_off(f"{name}: {type(error).__name__}: {error}")

    return apply
