"""Running something right after a module was imported, and leaving no trace in that module afterwards.

Our own modules are found where they are, whatever finders the program has: pytest's would keep all of a session alive by them.

The finder and the loader are duck-typed: their base classes are in modules that the program may not have imported.
"""

import sys
from _frozen_importlib_external import PathFinder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.abc import Loader
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any

    Hook = Callable[[ModuleType], None]

_pending: dict[str, list[Hook]] = {}


def after_import(name: str, hook: Hook) -> None:
    """Call ``hook`` with the module of this name: now if it has been imported, else when it has been executed."""
    module = sys.modules.get(name)
    # eventlet imports modules a second time under the same name.
    is_new = getattr(getattr(module, "__spec__", None), "_initializing", False) and name not in _executed
    if module is not None and not is_new and name not in _executing:
        hook(module)
        return
    _pending.setdefault(name, []).append(hook)
    begin()


def begin() -> None:
    """Be asked for modules before all other finders."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())


def being_imported() -> list[str]:
    """Modules that are waited for and whose import has begun: nobody says when it ends."""
    return [name for name in _pending if getattr(getattr(sys.modules.get(name), "__spec__", None), "_initializing", False) is True]


def suspend() -> None:
    """Wait for imports no more."""
    for finder in [finder for finder in sys.meta_path if isinstance(finder, _Finder)]:
        sys.meta_path.remove(finder)


def resume() -> None:
    """Call the hooks of what was imported meanwhile, and wait for the rest."""
    waiting = list(_pending.items())
    _pending.clear()
    for name, hooks in waiting:
        for hook in hooks:
            after_import(name, hook)


_executing: set[str] = set()
#: Their code has run, and their hooks do.
_executed: set[str] = set()


def order_nothing(ignore: Callable[[object], None]) -> None:
    """Have our own containers order no threads: every import would order whoever imports after what this thread knows."""
    for container in (_pending, _executing, _executed):
        ignore(container)


def _hook(spec: ModuleSpec, name: str) -> None:
    """Have the module's hooks called when its loader has executed it."""
    loader: Any = spec.loader
    attributes = getattr(loader, "__dict__", {})
    # A loader of this module alone stays what it is: who only looks for a module asks the loader what it is and has.
    if type(attributes) is dict and attributes.get("name") == name:
        loader.exec_module = _Loader(loader).exec_module
    else:
        spec.loader = _Loader(loader)  # type: ignore[assignment]


#: How the names of our own modules begin.
OURS = __name__.partition(".")[0] + "."


class _Finder:
    """Finds nothing but our own modules itself: asks the finders after it and hooks the loader of what they find."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        if name not in _pending:
            return PathFinder.find_spec(name, path, target) if name.startswith(OURS) else None
        for finder in sys.meta_path:
            if finder is self:
                continue
            spec = finder.find_spec(name, path, target)
            if spec is not None:
                if spec.loader is not None:
                    _hook(spec, name)
                return spec
        return None


class _Loader:
    """Stands for a module's loader, or is called by it; puts the real one back before the module's code runs."""

    def __init__(self, loader: Loader) -> None:
        self.loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self.loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        hooked: Any = getattr(self.loader, "__dict__", None)
        if type(hooked) is dict:
            hooked.pop("exec_module", None)
        if module.__spec__ is not None:
            module.__spec__.loader = self.loader
        module.__loader__ = self.loader
        name = module.__name__
        _executing.add(name)
        try:
            self.loader.exec_module(module)
        finally:
            _executing.discard(name)
        _executed.add(name)
        for hook in _pending.pop(name, ()):
            hook(module)
        _executed.discard(name)


# The interpreter cuts frames of the import system out of tracebacks, as long as no other one is between them.
_Loader.exec_module.__code__ = _Loader.exec_module.__code__.replace(co_filename="<frozen importlib._bootstrap>")
