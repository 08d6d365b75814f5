"""A process that ``ftsan attach`` has entered while it runs: what begins to watch it, and what leaves it as it was.

Both run in one of the program's threads, between two of its instructions, where the interpreter lets debuggers in (PEP 768).  The
other threads go on meanwhile, so nothing is reported before it is known which of them run a loop.
"""

import os
import sys

from . import _native, process, watch
from .env import describe, gil_state, unsupported
from .library import HOOKS
from .watch import declared, on_import

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType


def begin(options: str, unwatched: list[str], seconds: float) -> None:
    """Watch this process until :func:`end`.

    :param options: as in ``FTSAN_OPTIONS``.
    :param unwatched: what was asked for and cannot be had of a process that runs already, for the report.
    :param seconds: nothing is reported after that, even if nobody comes to leave the process.
    :raises RuntimeError: it cannot be watched, or is watched already; one line.
    """
    reason = unsupported()
    if reason:
        raise RuntimeError(reason)
    if _native.is_started() and _native.is_over():
        end()  # nobody has
    if _native.is_started():
        raise RuntimeError("it is watched already")
    is_again = _native.attach(options, describe(), gil_state())
    for what in unwatched:
        _native.leave_out(what)
    try:
        if is_again:
            _connect()
            on_import.resume()
            declared.hook()
        else:
            _hook()
        for name in on_import.being_imported():
            _native.leave_out(f"{name}: it was being imported when the process was attached to")
        _native.adopt_running_loops()  # of asyncio, uvloop and others like them
        _adopt_twisted()
        _adopt_trio()
    except BaseException:
        end()
        raise
    process.at_exit(process.last_words)
    _native.look(seconds)


def go_on(seconds: float) -> None:
    """Make findings for so many seconds from now on."""
    _native.look(seconds)


def end() -> None:
    """Leave this process; nothing happens if it is not watched."""
    if _native.is_started():
        on_import.suspend()
        process.not_at_exit(process.last_words)
        _native.set_gil(gil_state())
        _native.leave(True)


def _hook() -> None:
    """Hook what is watched, for the first time; it is put back and replaced again from then on."""
    try:
        _native.verify_layouts()
    except RuntimeError as error:
        _native.turn_off(f"affinity: {error}")
        return
    _connect()
    # Handlers of forks cannot be taken back.
    os.register_at_fork(after_in_child=_in_child, after_in_parent=_in_parent)
    on_import.after_import("_asyncio", _learn)
    watch.install()
    process.watch_gil()
    import posix

    _native.watch_posix(posix)


def _connect() -> None:
    """Hear of system calls, by the import tables of what is loaded."""
    try:
        _native.attach_hooks(HOOKS, os.path.dirname(os.__file__))
    except RuntimeError as error:
        _native.turn_off(f"descriptors: {error}")


def _learn(asyncio: ModuleType) -> None:
    try:
        _native.learn_running_loops(asyncio)
    except RuntimeError as error:
        _native.turn_off(f"loops of asyncio that ran already: {error}")


def _in_child() -> None:
    """The child of a fork is not watched: nobody would come to leave it."""
    _native.after_fork_in_child()
    if _native.is_started():
        on_import.suspend()
        process.not_at_exit(process.last_words)
        _native.leave(False)


def _in_parent() -> None:
    if _native.is_started():
        _native.leave_out("children that were forked meanwhile")


def _adopt_twisted() -> None:
    """The reactor that runs, if one does: Twisted keeps which thread it is."""
    reactor = sys.modules.get("twisted.internet.reactor")  # the object itself, not a module
    threadable = sys.modules.get("twisted.python.threadable")
    if reactor is not None and threadable is not None and getattr(reactor, "_started", False):
        _native.adopt_loop(reactor, threadable.ioThread, "twisted")


def _adopt_trio() -> None:
    """Runs of trio: the function that each is in has its runner, but for guests of other loops, which return to them."""
    run = sys.modules.get("trio._core._run")
    if run is None:
        return
    try:
        _native.adopt_loops_in(run.run, run.run.__code__.co_varnames.index("runner"), "trio")
    except ValueError:
        _native.turn_off("runs of trio that began before the process was attached to")
    import gc

    if any(type(state) is run.GuestState and state.runner.main_task_outcome is None for state in gc.get_objects()):
        _native.leave_out("guest runs of trio that began before the process was attached to")
