"""The knowledge of a library: a table, the same for asyncio, for uvloop and for a type that you declare.

A table is a module with these names (all but ``DISTRIBUTION``, ``VERSIONS`` and ``REALM`` may be left out):

``DISTRIBUTION``, ``VERSIONS``
    Name in the package index, and the beginnings of the versions that this table was tried with; empty for the standard library.
``REALM``
    Whose loop it is about: ``asyncio``, ``twisted``, ``trio``, or ``any`` that the thread runs.
``METHODS``
    Rows ``(rule, owner, "module:Class", "method method ...")``: what only the owner may call.  ``module:`` alone is for functions.
    ``name?`` is a method (``Class?`` a class) that some versions do not have, ``name=`` the setter of a property.
    A method that is not in the table may be called from anywhere.
``BIRTHS``
    Rows ``(kind, "module:Class")``: where objects come to life, so that reports can show it and an address is not
    taken for an earlier one.  Of kind ``allocated`` are those that C code makes without ``__init__``.
``THREAD_SAFE``, ``HAND_OVERS``
    ``"module:Class.method"``: documented as callable from any thread, whatever they call in turn.  A hand-over is one
    that makes the owner call something: a callback, a coroutine.
``PASSAGES``
    ``"module:Class.method"``: a thread in it is not inside the object of a ``one-at-a-time`` owner, unless it is in another one.
``CARRIERS``
    ``"module:Class.method"``: calls what the program gave to its object where that was born.  The program's line is there.
``GIFTS``
    Rows ``("module:Class.method", "argument", "module:Class.other", "variable")``: the program's line is the one that gave the
    argument, and the other function calls what its variable is.  For ``self.NAME``: the attribute when the method has returned.
``LOOPS``
    For a ``field`` owner: the class of the loops.
``EXCEPT``
    A class whose objects anybody may use.

How the owner is found (``Kind`` in ``python/native/src/engine/affinity/watch.rs``):

============================ =====================================================================================
``loop``                     the object is the loop
``attribute:NAME``           the object has its loop in that attribute, and its birth is in ``BIRTHS``
``attribute-only:NAME``      the same, without a birth: slower, nothing is remembered
``field``                    the object is of an extension type and has its loop where only the garbage collector sees it
``first-use``                the first loop that touches the object (its birth must be in ``BIRTHS``)
``first-use-waits``          the same, where a task waits: the object keeps the loop of the first one in ``_loop``
``first-use:NAME``           the first loop that touches what the object has in that attribute
``first-use:NAME!A,B``       the same; its maker may too, and one with a ``portal``, while the containers A and B are empty
``one-at-a-time:16:A,B``     the same for the methods A and B among themselves, whatever others do; another number for others
``future-argument``          as the loop of a future, for a function that may be given one
``asks-closed``              nobody: it is noted that the thread has asked the loop
``hands-over``               nobody: the question is whether the loop has been closed since the thread asked it
``portal``                   nobody: it is noted that the thread calls into a loop, and waits for the answer
``thread``                   the thread that made the object
``hub``                      the thread that uses the object first
``one-at-a-time``            nobody: the report is that another thread is inside the object
============================ =====================================================================================
"""

import os
import sys

from .. import _native
from .on_import import after_import

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any


def watch(table: ModuleType, root: ModuleType) -> None:
    """Hook the library of this table, whose root module has been imported, and its modules as they are imported.

    If that fails, the library is not watched and the report says so.
    """
    name = root.__name__
    folder = os.path.dirname(getattr(root, "__file__", None) or "")
    version = installed_version(table.DISTRIBUTION, folder) if table.DISTRIBUTION else ""
    if table.VERSIONS and not version.startswith(table.VERSIONS):
        _native.turn_off(f"{name} {version or 'of unknown version'}: not watched; known are {', '.join(table.VERSIONS)}")
        return
    _native.declare_library(folder)
    if version:
        _native.count_package(f"{table.DISTRIBUTION} {version}")
    for path in (*getattr(table, "THREAD_SAFE", ()), *getattr(table, "HAND_OVERS", ())):
        _when_imported(name, path, _native.declare_thread_safe)
    for path in getattr(table, "PASSAGES", ()):
        _when_imported(name, path, _native.declare_passage)
    for path in getattr(table, "CARRIERS", ()):
        _when_imported(name, path, _native.declare_carrier)
    for path, argument, caller, variable in getattr(table, "GIFTS", ()):
        _when_imported(name, path, _with(_native.watch_given, argument))
        _when_imported(name, caller, _with(_native.declare_carrier_of, variable))
    for kind, path in getattr(table, "BIRTHS", ()):
        _when_imported(name, path, _with(watch_birth, kind, table.REALM))
    for row in getattr(table, "METHODS", ()):
        _when_imported(name, row[2], _with(_watch_row, table, row))


def _with(function: Callable[..., None], *arguments: Any) -> Callable[[Any], None]:
    return lambda found: function(found, *arguments)


def _when_imported(library: str, path: str, hook: Callable[[Any], None]) -> None:
    module_name, _, attributes = path.partition(":")

    def imported(module: ModuleType) -> None:
        try:
            found: Any = module
            for attribute in filter(None, attributes.rstrip("?").split(".")):
                found = getattr(found, attribute, None) if attributes.endswith("?") else getattr(found, attribute)
            if found is not None:
                # Of a class method, the function.
                hook(getattr(found, "__func__", found))
        except Exception as error:
            _native.turn_off(f"{library}: {path}: {type(error).__name__}: {error}")

    after_import(module_name, imported)


def _watch_row(class_: Any, table: ModuleType, row: tuple[str, str, str, str]) -> None:
    rule, owner, _, methods = row
    module, _, name = getattr(table, "LOOPS" if owner == "field" else "EXCEPT", "").partition(":")
    of_class = getattr(sys.modules[module], name) if module else None
    watch_methods(class_, methods.split(), owner, rule, table.REALM, of_class)


def watch_methods(class_: Any, methods: list[str], owner: str, rule: str, realm: str, of_class: type | None = None) -> None:
    """Hook methods of a class, or functions of a module, wherever in its bases they are defined.

    :raises AttributeError: there is no such method, and it may not be missing.
    """
    for written in methods:
        name = written.rstrip("?=")
        found = find(class_, name)
        if found is None:
            if written.endswith("?"):
                continue
            raise AttributeError(f"no {name}")
        if isinstance(found, property):
            found = found.fset if written.endswith("=") else found.fget
        if hasattr(found, "__code__") and type(found).__name__ == "function":
            _native.watch_function(found, owner, rule, name, realm, of_class)
        else:
            _native.watch_method(found, owner, rule, name, realm, of_class)


def watch_birth(class_: type, kind: str, realm: str) -> None:
    """Hook the creation of objects of a class."""
    if kind == "allocated":
        return _native.watch_allocation(class_, realm)
    init = find(class_, "__init__")
    if type(init).__name__ == "function":
        _native.watch_function(init, kind, "FT101", "__init__", realm)
    elif init is object.__init__:
        raise TypeError("no __init__ of its own")
    else:
        _native.watch_birth(class_, kind, realm)


def find(class_: Any, name: str) -> Any:
    """What a class or one of its bases, or a module, has under this name, unbound; ``None`` for nothing.

    Of a function in decorators that take any arguments, the function.
    """
    for place in getattr(class_, "__mro__", (class_,)):
        if name in vars(place):
            found = vars(place)[name]
            while type(found).__name__ == "function" and not found.__code__.co_argcount and hasattr(found, "__wrapped__"):
                found = found.__wrapped__
            return found
    return None


def installed_version(distribution: str, folder: str) -> str:
    """Version of the distribution that a package's folder belongs to, from the ``.dist-info`` beside it; empty if there is none.

    Not ``importlib.metadata``, which imports what the program may not have imported.
    """
    try:
        names = os.listdir(os.path.dirname(folder))
    except OSError:
        return ""
    prefix = distribution.lower() + "-"
    versions = [
        name[len(prefix) : -len(".dist-info")] for name in names if name.lower().startswith(prefix) and name.endswith(".dist-info")
    ]
    return max(versions, default="")
