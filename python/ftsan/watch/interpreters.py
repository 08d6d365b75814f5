"""C functions that look into code find the original; other interpreters are handed it; they are not watched, and that is said."""

from .. import _native
from .on_import import after_import

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

#: By module, the functions that look into the code that they are given, or that a function has.
FUNCTIONS = {
    "_interpreters": "call exec run_func set___main___attrs",
    "_interpqueues": "put",
    "_interpchannels": "send",
    # CPython's own tests: is this code basic, and which line is at this offset?
    "_testinternalcapi": "verify_stateless_code",
    "_testcapi": "code_offset_to_line",
}


def notice() -> None:
    """Hook what makes interpreters, when it is imported: a run that has one says that it is not watched."""
    after_import("_interpreters", lambda module: _native.watch_maker_of_interpreters(module.create))


def install() -> None:
    """Hook what hands functions over: in modules that are imported already, and in the others when they are imported."""
    for name in FUNCTIONS:
        after_import(name, _hook)


def _hook(module: ModuleType) -> None:
    try:
        for function in FUNCTIONS[module.__name__].split():
            _native.hands_originals(module, function)
    except Exception as error:
        _native.turn_off(f"{module.__name__}: {type(error).__name__}: {error}")
