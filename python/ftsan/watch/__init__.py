"""What is watched: one table per library, applied when (and only if) the program imports that library."""

import sys

from .. import _native
from .on_import import after_import

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

#: Module whose import completes a library.  Its table is ``<module>_table`` beside this file, imported when it is needed.
LIBRARIES = ("asyncio", "threading")


def install() -> None:
    """Hook what is imported already, and the rest when it is imported."""
    missing = set()
    for name in LIBRARIES:
        module = sys.modules.get(name)
        if module is None:
            missing.add(name)
        else:
            hook(module)
    after_import(missing, hook)


def hook(module: ModuleType) -> None:
    """Apply the table of a library.  If that fails, the family is off and the report says so."""
    name = module.__name__
    try:
        table = __import__(f"{__name__}.{name}_table", fromlist=["hook"])
        table.hook(module)
    except Exception as error:
        _native.turn_off(f"{name}: {type(error).__name__}: {error}")
