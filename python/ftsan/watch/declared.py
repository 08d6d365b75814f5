"""Types that the program or its author declared: ``ftsan.declare`` and ``--declarations FILE``."""

import sys

from .. import _native
from .on_import import after_import

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    #: name, owner, rule, methods, thread-safe calls, hand-overs
    Declaration = tuple[str, str, str, list[str], list[str], list[str]]

_waiting: list[Declaration] = []
_applied: list[Declaration] = []
_installed = False


def hook() -> None:
    """Apply what was declared before the watching began and what the options name."""
    global _installed
    _installed = True
    for declaration in (*_native.declarations(), *_waiting):
        if declaration not in _applied:  # by one who attached before
            _applied.append(declaration)
            _apply(declaration)
    _waiting.clear()


def add(declaration: Declaration) -> None:
    """Apply a declaration that has been checked, now or when the watching begins."""
    if _installed:
        _apply(declaration)
    else:
        _waiting.append(declaration)


def _apply(declaration: Declaration) -> None:
    name, owner, rule, methods, thread_safe, hand_overs = declaration
    module_name, _, path = name.partition(":")

    def imported(module: ModuleType) -> None:
        from . import declarations

        try:
            class_: Any = module
            for attribute in path.split("."):
                class_ = getattr(class_, attribute)
            safe = [*thread_safe, *hand_overs]
            for method in safe:
                _native.declare_thread_safe(getattr(class_, method))
            own = [key for key, value in vars(class_).items() if type(value).__name__ == "function" and key[0] != "_"]
            package = sys.modules[module_name.partition(".")[0]].__file__ or ""
            if "site-packages" in package:  # not the program's own: its caller's line is beyond it
                _native.declare_library(package.rpartition("/")[0])
            wanted_owner = owner if _watch_birth(class_, owner) else owner.replace("attribute:", "attribute-only:")
            wanted = [method for method in methods or own if method not in safe]
            declarations.watch_methods(class_, wanted, wanted_owner, rule, "any")
        except Exception as error:
            _native.turn_off(f"declaration of {name}: {type(error).__name__}: {error}")

    after_import(module_name, imported)


def _watch_birth(class_: Any, owner: str) -> bool:
    """Hook the creation of objects of a declared class; returns whether that is possible, or not needed.

    :raises TypeError: it is needed, and not possible.
    """
    from . import declarations

    kind = owner.partition(":")[0]
    born = {"attribute": "born", "first-use": "first-use-born", "thread": "thread-born", "hub": "born"}.get(kind)
    try:
        if born:
            declarations.watch_birth(class_, born, "any")
    except TypeError:
        if kind != "attribute":
            raise
        return False
    return True
