"""Loops of asyncio that no table knows: rloop, zuvloop, a program's own.  Hooked by what they are when one runs for the first time.

The loop's class says nothing about the transports, servers and handles that it gives away.  They are classes of the same package,
known by their methods, and some exist only when the first object of theirs does: they are looked for again when threads begin.
"""

import contextlib
import sys

from .. import _native
from . import declarations
from .asyncio_table import METHODS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: By rule, what only the thread may call that runs the loop: what the table of asyncio says of its own loops.
LOOP_METHODS = tuple((rule, methods.split()) for rule, owner, _, methods in METHODS if owner == "loop")

#: (rule, methods that make a class one of these, methods that only the loop's thread may call)
PARTS = (
    (
        "FT105",
        "get_extra_info is_closing close",
        "set_protocol set_write_buffer_limits set_read_buffer_limits pause_reading resume_reading write writelines write_eof "
        "sendto send_signal terminate kill close abort",
    ),
    ("FT105", "is_serving wait_closed close", "start_serving serve_forever wait_closed close close_clients abort_clients"),
    ("FT107", "cancel", "cancel"),
)

#: Methods that give away objects whose loop is in no place that can be seen: each belongs to the loop that gave it away.
GIVERS = (
    "call_later call_at create_server create_unix_server create_connection create_unix_connection create_datagram_endpoint "
    "connect_accepted_socket connect_read_pipe connect_write_pipe start_tls subprocess_shell subprocess_exec"
)

#: An override that has one of these names in its code asks which thread it is in, or hands over by itself.
AWARE = {"call_soon_threadsafe", "run_coroutine_threadsafe", "get_ident", "get_native_id", "current_thread"}

#: Packages whose loops a table is about.
_TABLED = ("asyncio", "uvloop")
#: Classes of loops, with their bases, and of what loops give away: those that have been looked at.
_loops: set[type] = {object}
_parts: set[type] = set()
#: Package of each loop that was met, and the class of the loop.
_packages: dict[str, type] = {}


def _package(class_: type) -> str:
    return class_.__module__.partition(".")[0]


def meet(loop: Any) -> None:
    """Hook the class of a loop that runs for the first time, unless a table has done so.

    A method that cannot be hooked is off, and the report says so.
    """
    class_ = type(loop)
    if _package(class_) in _TABLED:
        return
    for base in class_.__mro__:
        if base not in _loops and _package(base) not in _TABLED:
            _loops.add(base)
            _watch_loop(base, class_)
    folder = (getattr(sys.modules.get(_package(class_)), "__file__", None) or "").rpartition("/")[0]
    version = declarations.installed_version(_package(class_), folder)
    if version:  # not a module of the program
        _native.declare_library(folder)
        _native.count_package(f"{_package(class_)} {version}")
    _packages[_package(class_)] = class_
    _native.expect_classes()
    look_around()


def _watch_loop(base: type, class_: type) -> None:
    own = vars(base)
    if type(own.get("call_soon_threadsafe")).__name__ == "function":
        _native.declare_thread_safe(own["call_soon_threadsafe"])
    for rule, names in LOOP_METHODS:
        for name in names:
            if name in own and not _is_aware(own[name]):
                _watch(base, name, "loop", rule, None)
    for name, kind in (("is_closed", "asks-closed"), ("call_soon_threadsafe", "hands-over")):
        if name in own:
            _watch(base, name, kind, "FT109", None)
    for name in GIVERS.split():
        if name in own:
            with contextlib.suppress(TypeError, ValueError):  # whose loop is not seen otherwise is not watched
                _native.watch_results(own[name])


def _is_aware(found: Any) -> bool:
    return not AWARE.isdisjoint(getattr(getattr(found, "__code__", None), "co_names", ()))


def _watch(class_: type, name: str, owner: str, rule: str, loop_class: type | None) -> None:
    try:
        found = vars(class_)[name]
        if _native.is_watched(found):
            return
        declarations.watch_methods(class_, [name], owner, rule, "asyncio", loop_class)
    except Exception as error:
        _native.turn_off(f"{class_.__module__}.{class_.__qualname__}.{name}: {type(error).__name__}: {error}")


def look_around() -> None:
    """Hook the transports, servers and handles of the loops that were met, as far as their classes exist by now."""
    for class_ in object.__subclasses__():
        _look_at(class_)


def _look_at(class_: type) -> None:
    subclass: type
    if _package(class_) == "asyncio":  # subclasses of its own transports
        for subclass in type.__subclasses__(class_):
            _look_at(subclass)
        return
    loop_class = _packages.get(_package(class_))
    if loop_class is None or class_ in _parts:
        return
    _parts.add(class_)
    for subclass in type.__subclasses__(class_):
        _look_at(subclass)
    own = vars(class_)
    for rule, marks, names in PARTS:
        is_one = all(hasattr(class_, mark) for mark in marks.split()) and not hasattr(class_, "add_done_callback")
        if is_one and (rule != "FT107" or "Handle" in class_.__name__):
            owner = _owner(class_)
            _note_births(class_)
            for name in names.split():
                if name in own:
                    _watch(class_, name, owner, rule, loop_class if owner == "field" else None)
            return


def _owner(class_: type) -> str:
    """Where objects of a class written in Python have their loop, by the attributes that it sets; others have it in a field."""
    if not any(type(value).__name__ == "function" for value in vars(class_).values()):
        return "field"
    names = {name for base in class_.__mro__ for name in vars(base).get("__static_attributes__", ())}
    return next((f"attribute-only:{name}" for name in ("_loop", "loop") if name in names), "first-use")


def _note_births(class_: type) -> None:
    """Objects of this class may get an address that another one had."""
    if type(vars(class_).get("__init__")).__name__ == "function":
        declarations.watch_birth(class_, "born", "asyncio")
    else:
        _native.watch_birth(class_, "born", "asyncio")
