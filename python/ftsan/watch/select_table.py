"""``select.poll``: objects that one thread at a time may use, polling included."""

from .. import _native

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

DISTRIBUTION = ""
VERSIONS = ()
REALM = "any"

#: The type has no name in the module, and eventlet takes the function away.
METHODS = (("FT204", "one-at-a-time", "select:poll", "register unregister modify poll"),)


def hook(select: ModuleType) -> None:
    """Hook the type of poll objects."""
    for rule, owner, _, methods in METHODS:
        for method in methods.split() if hasattr(select, "poll") else ():
            _native.watch_method(vars(type(select.poll()))[method], owner, rule, method, REALM)
