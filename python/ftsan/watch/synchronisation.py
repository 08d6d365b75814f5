"""Hand-overs that order threads: the methods and functions by which one thread hands something over to another.

Hooked when data races are looked for, and not before. The names of the edges are in ``intercept/sync/operations.rs`` of the
native module (what is written in C) and ``python_operations.rs`` (what is written in Python). A lock that is not one of
``_thread`` is ``gain`` and ``release``. Conditions, barriers, timers, futures and semaphores that are locks are not
here: they are Python code on top of locks, and a callback that an event loop is handed goes through a deque.
"""

import os
import sys

from .. import _native
from ..env import is_free_threaded_build
from .on_import import after_import, order_nothing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from types import ModuleType
    from typing import Any

#: ("module:Class" or "module:", edge, methods)
METHODS = (
    ("_thread:lock", "lock", "acquire acquire_lock"),
    ("_thread:lock", "enter", "__enter__"),
    ("_thread:lock", "unlock", "release release_lock"),
    ("_thread:lock", "exit", "__exit__"),
    ("_thread:lock", "acquire-if-false", "locked locked_lock"),
    ("_thread:RLock", "lock", "acquire"),
    ("_thread:RLock", "enter", "__enter__"),
    ("_thread:RLock", "unlock", "release"),
    ("_thread:RLock", "exit", "__exit__"),
    ("_thread:RLock", "acquire-if-false", "locked"),
    # Condition.wait gives the lock up and takes it back.
    ("_thread:RLock", "save", "_release_save"),
    ("_thread:RLock", "restore", "_acquire_restore"),
    ("_thread:_ThreadHandle", "is-done", "is_done"),
    ("_thread:_ThreadHandle", "join", "join"),
    ("_thread:_ThreadHandle", "release", "_set_done"),
    ("_thread:", "join-all", "_shutdown"),
    ("_thread:", "count", "_count"),
    ("_queue:SimpleQueue", "release", "put put_nowait"),
    # A loop may ask how much there is, or whether there is anything.
    ("_queue:SimpleQueue", "acquire", "get get_nowait qsize empty"),
    ("_collections:deque", "release", "append appendleft extend extendleft insert"),
    ("_collections:deque", "acquire", "pop popleft remove"),
    # Locks are made of these, by code that nobody has chosen.
    ("builtins:list", "put", "append extend insert"),
    ("builtins:list", "take", "pop remove"),
    ("builtins:dict", "claim", "setdefault"),
    ("builtins:dict", "withdraw", "pop"),
    ("builtins:dict", "take-any", "popitem"),
    ("builtins:set", "put", "add"),
    ("builtins:set", "withdraw", "discard remove"),
    ("builtins:set", "take-any", "pop"),
    ("_collections:OrderedDict", "claim", "setdefault"),
    ("_collections:OrderedDict", "withdraw", "pop"),
    ("_collections:OrderedDict", "take-any", "popitem"),
    # Of processes, and of the threads in them.
    ("_multiprocessing:SemLock", "gain", "acquire __enter__"),
    ("_multiprocessing:SemLock", "release", "release __exit__"),
    ("fcntl:", "file-lock", "flock"),
    ("fcntl:", "file-control", "fcntl"),
    ("posix:", "open-file", "open"),
    ("_io:", "open-by-mode", "open"),
    ("posix:", "make-path", "mkdir"),
    ("posix:", "make-link", "link symlink"),
    ("posix:", "remove-path", "remove unlink rmdir"),
    ("posix:", "rename-path", "rename replace"),
    ("posix:", "find-path", "stat lstat"),
    ("_sqlite3:", "open-database", "connect"),
    ("_sqlite3:Connection", "statement", "execute executemany executescript"),
    ("_sqlite3:Connection", "end-transaction", "commit rollback close __exit__"),
    ("_sqlite3:Cursor", "statement", "execute executemany executescript"),
    # A descriptor that is registered may be handed to the thread that waits.
    ("select:epoll", "release", "register modify"),
    ("select:epoll", "acquire", "poll"),
    # Closing is what the other end reads as the end.
    ("posix:", "write", "sendfile write writev"),
    ("posix:", "close", "close"),
    ("posix:", "read", "read readinto readv"),
    ("posix:", "event-write", "eventfd_write"),
    ("posix:", "event-read", "eventfd_read"),
    ("_posixsubprocess:", "start-child", "fork_exec"),
    ("posix:", "start-child", "posix_spawn posix_spawnp"),
    ("posix:", "wait-for-child", "wait wait3 wait4 waitid waitpid"),
    # To this process, perhaps.
    ("posix:", "signal", "kill killpg"),
    ("_signal:", "signal", "pthread_kill raise_signal"),
    ("_thread:", "signal", "interrupt_main"),
    ("_io:FileIO", "send", "write"),
    ("_io:FileIO", "close-file", "close"),
    ("_io:FileIO", "receive", "read readinto readall"),
    ("_socket:socket", "send", "send sendall sendmsg shutdown close"),
    ("_socket:socket", "receive", "recv recv_into recvfrom recvfrom_into recvmsg recvmsg_into"),
    ("_socket:socket", "send-to", "sendto"),
    ("_socket:socket", "connect", "connect connect_ex"),
    ("_socket:socket", "accept", "_accept"),
    ("_socket:", "socketpair", "socketpair"),
    ("_weakref:", "callback", "proxy"),
    # Guards the locks of modules.
    ("_imp:", "acquire", "acquire_lock"),
    ("_imp:", "release", "release_lock"),
)

#: The edges by which it is known what locks a thread holds.
LOCKS = ("lock", "enter", "unlock", "exit", "save", "restore")

#: ("module:path", edge): functions written in Python.  One with a question mark is not in every version.
FUNCTIONS = (
    ("threading:Event.set", "release"),
    # Looks at the flag without the lock.
    ("threading:Event.is_set", "acquire-if-true"),
    ("queue:Queue.__init__", "queue-made"),
    # One that several threads may hold at once is no lock.
    ("threading:Semaphore.__init__", "semaphore-made"),
    ("threading:Semaphore.acquire", "semaphore-acquiring"),
    ("threading:Semaphore.acquire", "semaphore-acquired"),
    ("threading:Semaphore.release", "semaphore-releasing"),
    ("threading:Semaphore.release", "semaphore-released"),
    ("threading:BoundedSemaphore.release", "semaphore-releasing"),
    ("threading:BoundedSemaphore.release", "semaphore-released"),
    # Threads that are counted until they are all gone.
    ("threading:Thread._delete", "uncounted"),
    ("threading:active_count", "counted"),
    ("threading:enumerate", "counted"),
    # Of multiprocessing, between processes.
    ("multiprocessing.connection:Connection._send", "sent-outside"),
    ("multiprocessing.connection:Connection._recv", "from-outside"),
    # Its number of unfinished tasks may be polled.
    ("queue:Queue.task_done", "release"),
    # A map from descriptors to what was registered with them, beside the kernel's.
    ("selectors:_BaseSelectorImpl.register", "release"),
    ("selectors:_BaseSelectorImpl.modify", "release"),
    ("selectors:_PollLikeSelector.modify", "release"),
    ("selectors:_PollLikeSelector.select", "acquire"),
    ("selectors:SelectSelector.select", "acquire"),
    ("selectors:EpollSelector.select?", "acquire"),
    ("_frozen_importlib:_ModuleLockManager.__exit__", "imported"),
    # A module in a package, since 3.15.
    ("_frozen_importlib:_HierarchicalLockManager.__exit__?", "imported"),
    ("concurrent.futures.thread:ThreadPoolExecutor._adjust_thread_count", "ignore-idle"),
    # Whether that is awaited, or done by then, is luck.
    ("asyncio.futures:wrap_future", "left-to-a-pool"),
    # A list is read, and then what is called.
    ("twisted.internet.base:ReactorBase.callFromThread", "carry"),
)


def _ignore_limbo(lock: Any) -> None:
    _native.ignore_lock(lock)
    # The child of a fork has another one, made by threading, which has registered before this.
    os.register_at_fork(after_in_child=lambda: _native.ignore_lock(sys.modules["threading"]._active_limbo_lock))


#: ("module:name", what hooks it)
OTHERS = (
    ("_thread:", _native.order_threads),
    ("_asyncio:", _native.watch_tasks),
    ("_functools:_lru_cache_wrapper", _native.order_caches),
    ("builtins:list", _native.order_appends),
    ("_weakref:ReferenceType", _native.order_callbacks),
    # Every thread takes these when it begins, ends or is given work, whatever it is about.
    ("threading:_active_limbo_lock", _ignore_limbo),
    ("threading:_dangling", lambda threads: _native.ignore_lock(threads.data)),
    ("concurrent.futures.thread:_global_shutdown_lock", _native.ignore_lock),
    # Every import takes the module out and puts it back.
    ("sys:modules", _native.ignore_lock),
    # Births of objects are heard of where their headers have no room for bits.
    *(() if is_free_threaded_build() else (("_tracemalloc:", _native.share_births),)),
)


def install(without: Collection[str] = ()) -> None:
    """Hook all of it.

    :param without: what to leave out, for the tests: first elements of the tables' rows, or these and a method.
    """
    order_nothing(_native.ignore_lock)
    # Before their methods: locks that do not look as expected are left alone.
    _when_imported("_thread:", _native.watch_locks)
    for path, edge, methods in METHODS:
        for method in methods.split():
            if not {path, f"{path}.{method}"} & {*without}:
                _when_imported(path, _with(_hook_method, method, edge))
    for path, edge in FUNCTIONS:
        if path not in without:
            _when_imported(path, _with(_native.order_function, edge))
    for path, hook in OTHERS:
        if path not in without:
            _when_imported(path, hook)


def install_locks() -> None:
    """Hook what the rules of locks need and nothing else: where threads cannot be kept in order."""
    _when_imported("_thread:", _native.watch_locks)
    _when_imported("_asyncio:", _native.watch_tasks)
    for path, edge, methods in METHODS:
        if edge in LOCKS:
            for method in methods.split():
                _when_imported(path, _with(_hook_method, method, edge))


def _with(function: Callable[..., None], *arguments: Any) -> Callable[[Any], None]:
    return lambda found: function(found, *arguments)


def _when_imported(path: str, hook: Callable[[Any], None]) -> None:
    module_name, _, attributes = path.partition(":")

    def imported(module: ModuleType) -> None:
        try:
            found: Any = module
            for attribute in filter(None, attributes.rstrip("?").split(".")):
                found = getattr(found, attribute, None) if attributes.endswith("?") else getattr(found, attribute)
            if found is not None:
                hook(found)
        except Exception as error:
            _native.turn_off(f"races: {path}: {type(error).__name__}: {error}")

    after_import(module_name, imported)


def _hook_method(owner: Any, method: str, edge: str) -> None:
    _native.order_method(vars(owner)[method], edge)
