"""The tables of what is watched: one per library, applied when (and only if) the program imports that library."""

import os

from .. import _native
from . import coroutines, declarations, declared, interpreters, on_import
from .on_import import after_import

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

#: Module whose import completes a library.  Its table is ``<module>_table`` beside this file, imported when it is needed.
LIBRARIES = (
    "asyncio",
    "threading",
    "select",
    "selectors",
    "ssl",
    "multiprocessing",
    "uvloop",
    "tornado",
    "twisted",
    "trio",
    "anyio",
    "zmq",
    "greenlet",
    "eventlet",
    "gevent",
)


def install() -> None:
    """Hook what is imported already, and the rest when it is imported."""
    on_import.begin()
    coroutines.hook()
    interpreters.notice()
    # Now, because the modules that it is about import threading themselves: their import has begun by then.
    declarations.watch(table_of("threading"), os)
    for name in LIBRARIES:
        if name != "threading":
            after_import(name, hook)
    declared.hook()


def table_of(library: str) -> ModuleType:
    """The table of a library; importing it needs nothing of the library itself."""
    table: ModuleType = __import__(f"{__name__}.{library}_table", fromlist=["METHODS"])
    return table


def hook(module: ModuleType) -> None:
    """Apply the table of a library.  If that fails, the library is not watched and the report says so."""
    name = module.__name__
    try:
        table = table_of(name)
        if hasattr(table, "hook"):
            table.hook(module)
        else:
            declarations.watch(table, module)
    except Exception as error:
        _native.turn_off(f"{name}: {type(error).__name__}: {error}")
