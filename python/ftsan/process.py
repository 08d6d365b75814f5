"""Watching this process: start-up, forks, and the last words at exit."""

import os
import sys

from . import _native, _not_raced, watch
from .env import describe, gil_state, unsupported, why_gil_is_on
from .library import HOOKS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


#: Whether this interpreter has: a process can initialise Python twice, and the native module stays.
has_enabled = False


def enable(options: str) -> None:
    """See :func:`ftsan.enable`."""
    reason = unsupported()
    if reason:
        raise RuntimeError(reason)
    if _native.is_started():
        raise RuntimeError("this process is watched already")
    global has_enabled
    _native.start(_with_tally(options), describe(), gil_state())
    has_enabled = True
    _native.speak()
    environment = getattr(os.environ, "_data", None)
    if type(environment) is dict:
        _native.set_environment(environment)
    try:
        _native.verify_layouts()
    except RuntimeError as error:
        _native.turn_off(f"affinity: {error}")
    else:
        os.register_at_fork(after_in_child=_native.after_fork_in_child)
        _connect_hooks()
        _watch_races()
        watch.install()
        watch_gil()
    import posix

    _native.watch_posix(posix)
    _native.flush()
    at_exit(last_words)


def _with_tally(options: str) -> str:
    """The options with a tally, which the first process of a tree makes and names to its children by the environment."""
    _, report, needs_tally = _native.check_options(options)
    if not needs_tally:
        return options
    from . import scratch

    _native.check_formats(options)
    try:
        if report:
            _native.check_report(report.replace("%p", str(os.getpid())))
    except OSError as error:
        raise ValueError(f"cannot write the report {report}: {error}") from None
    try:
        folder = scratch.make()
    except OSError:
        return options  # as before there were tallies: findings are printed
    scratch.remove_left_over(os.path.dirname(folder))
    # A host with many processes that have no common parent here, as Apache's: each has a report of its own.
    place = report.replace("%p", str(os.getpid())) if report else os.path.join(folder, "report.json")
    ours = {"tally": scratch.tally_in(folder)} | ({"report_json": place} if place != report else {})
    options = ":".join(filter(None, [options, _native.encode_options(ours)]))
    if os.environ.get("FTSAN") == "1":
        os.environ["FTSAN_OPTIONS"] = options
    return options


def _connect_hooks() -> None:
    """Hear of system calls from the injected library: preloaded by ``ftsan run``, else loaded now."""
    try:
        _native.connect_hooks(HOOKS, os.path.dirname(os.__file__))
    except RuntimeError as error:
        _native.turn_off(f"descriptors: {error}")


def watch_gil() -> None:
    """Notice which extension modules switch the GIL on, and whether it is on already where it must not be."""
    import _imp

    try:
        _native.watch_extension_modules(_imp)
    except Exception as error:
        _native.turn_off(f"extension modules: {type(error).__name__}: {error}")
    if _native.requires_gil_disabled() and (why := why_gil_is_on()):
        _native.begins_with_gil(why)


def _watch_races() -> None:
    """Patch the code that is chosen.  First of all: the code objects by which functions are watched later are final then."""
    if not _native.wants_races():
        return
    from .watch import container_calls, interpreters, synchronisation

    try:
        _native.start_races()
    except Exception as error:
        _native.turn_off(f"races: {type(error).__name__}: {error}")
        synchronisation.install_locks()
        return
    try:
        _native.instrument_chosen([os.path.dirname(os.__file__)])
        interpreters.install()
        synchronisation.install()
        container_calls.install()
    except Exception as error:
        _native.turn_off(f"races: {type(error).__name__}: {error}")
    for ref in _not_raced:
        function = ref()
        if function is not None:
            _native.leave_unpatched(function)


def at_exit(function: Callable[[], None]) -> None:
    """``atexit.register``, without the program noticing that somebody imported ``atexit``."""
    known = "atexit" in sys.modules
    import atexit

    atexit.register(function)
    if not known:
        del sys.modules["atexit"]  # its registrations are kept by the interpreter, not by the module


def not_at_exit(function: Callable[[], None]) -> None:
    """Takes back :func:`at_exit`, in the same way."""
    known = "atexit" in sys.modules
    import atexit

    atexit.unregister(function)
    if not known:
        del sys.modules["atexit"]


def is_enabled() -> bool:
    """See :func:`ftsan.is_enabled`."""
    return _native.is_started()


def last_words() -> None:
    """Say what there is to say when the interpreter ends."""
    _native.set_gil(gil_state())
    for package, modules in _compiled().items():
        _native.turn_off(f"races: {package}: {modules} of its modules were compiled (mypyc?), and their Python code did not run")
    try:
        _native.write_inventory()
    except OSError as error:
        _native.say(f"cannot write the inventory: {error}")
    _native.end()


def _compiled() -> dict[str, int]:
    """How many modules of what is watched for data races are extension modules that were made of Python code, by package.

    Of a package that nobody has named, only if that is half of it or more: many have a few such modules, and the rest is watched.
    """
    names, first_party = _native.watched_names()
    counts: dict[str, int] = {}
    in_python: dict[str, int] = {}
    standard_library = os.path.dirname(os.__file__)
    for name, module in list(sys.modules.items()):
        package = next((one for one in names if name == one or name.startswith(one + ".")), "")
        if not (package or first_party):
            continue
        # Not by attributes: a module may have a `__getattr__` of the program's.
        spec = vars(module).get("__spec__") if type(module) is type(sys) else None
        path = getattr(spec, "origin", None) if type(spec).__name__ == "ModuleSpec" else None
        if type(path) is not str or not path.endswith(".so"):
            top = name.partition(".")[0]
            in_python[top] = in_python.get(top, 0) + 1
            continue
        if not package:
            if path.startswith(standard_library) or "-packages" + os.sep in path or _native.is_installed(path):
                continue
            package = name.partition(".")[0]
        if os.path.exists(_stem(path) + ".py"):
            counts[package] = counts.get(package, 0) + 1
    return {package: count for package, count in counts.items() if package in names or count >= in_python.get(package, 0)}


def _stem(path: str) -> str:
    """The path of an extension module without ``.cpython-314t-x86_64-linux-gnu.so``."""
    folder, _, name = path.rpartition(os.sep)
    return os.path.join(folder, name.partition(".")[0])
