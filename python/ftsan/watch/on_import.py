"""Running something right after a module was imported, and leaving no trace afterwards.

The finder and the loader are duck-typed: their base classes are in modules that the program may not have imported.
"""

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.abc import Loader
    from importlib.machinery import ModuleSpec
    from types import ModuleType


def after_import(names: set[str], hook: Callable[[ModuleType], None]) -> None:
    """Call ``hook`` with each of the modules when it has been executed."""
    if names:
        sys.meta_path.insert(0, _Finder(names, hook))


class _Finder:
    """Finds nothing itself: asks the finders after it and wraps the loader of what they find."""

    def __init__(self, names: set[str], hook: Callable[[ModuleType], None]) -> None:
        self.names = names
        self.hook = hook

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        if name not in self.names:
            return None
        for finder in sys.meta_path:
            if finder is self:
                continue
            spec = finder.find_spec(name, path, target)
            if spec is not None:
                if spec.loader is not None:
                    spec.loader = _Loader(spec.loader, self)  # type: ignore[assignment]
                return spec
        return None

    def imported(self, module: ModuleType) -> None:
        self.names.discard(module.__name__)
        if not self.names and self in sys.meta_path:
            sys.meta_path.remove(self)
        self.hook(module)


class _Loader:
    """Puts the real loader back before the module's code runs."""

    def __init__(self, loader: Loader, finder: _Finder) -> None:
        self.loader = loader
        self.finder = finder

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self.loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        if module.__spec__ is not None:
            module.__spec__.loader = self.loader
        module.__loader__ = self.loader
        self.loader.exec_module(module)
        self.finder.imported(module)
