"""C functions that work on containers, watched at their entries: whoever calls them, through whatever.

Which they are, the native module says (``src/patcher/known_calls.rs`` of the core).
"""

from .. import _native
from .on_import import after_import

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType


def install() -> None:
    """Hook all of them, and the steps of iterators: those of modules that are not there yet when they are imported."""
    for module in _native.modules_of_iterators():
        after_import(module, _watch_iterators)
    for owner, name in _native.watched_calls():
        _hook(owner, name)
    after_import("_json", lambda module: _native.watch_encoder(module.make_encoder))
    after_import("_operator", lambda module: _native.watch_getter(module.attrgetter))


def _watch_iterators(module: ModuleType) -> None:
    try:
        _native.watch_iterators(module)
    except Exception as error:
        _native.turn_off(f"races: iterators of {module.__name__}: {type(error).__name__}: {error}")


def _hook(owner: str, name: str) -> None:
    module_name, _, class_name = owner.partition(":")

    def imported(module: ModuleType) -> None:
        try:
            found = vars(getattr(module, class_name) if class_name else module).get(name)
            # A class may have it from another one, or in Python code.
            if type(found).__name__ in ("method_descriptor", "builtin_function_or_method"):
                _native.watch_call(found, owner, name)
        except Exception as error:
            _native.turn_off(f"races: {owner}.{name}: {type(error).__name__}: {error}")

    after_import(module_name, imported)
