"""Functions in C that look into code objects, among them those that hand functions to other interpreters: they are to find the original
code.
"""

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


def install() -> None:
    """Hook what is imported already, and the rest when it is imported."""
    for name in FUNCTIONS:
        after_import(name, _hook)


def _hook(module: ModuleType) -> None:
    try:
        for function in FUNCTIONS[module.__name__].split():
            _native.hands_originals(module, function)
    except Exception as error:
        _native.turn_off(f"{module.__name__}: {type(error).__name__}: {error}")
