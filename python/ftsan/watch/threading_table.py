"""``threading``: where each thread was started."""

from .. import _native

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType


def hook(threading: ModuleType) -> None:
    """Record the stack of ``Thread.start``, which reports show as the thread's origin."""
    _native.watch_function(threading.Thread.start, "born", "FT101", "start")
