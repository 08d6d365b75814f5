"""asyncio: which functions may only be called by the thread that runs the loop.

``METHODS`` is the table.  ``owner`` says how the loop of an object is found (``Kind`` in ``python/native/src/watch.rs``):
the object is the loop, it has it in ``_loop`` (``-only`` for classes whose birth is not in ``BIRTHS``), or (primitives) it belongs
to the first loop that touches it.  What is not in the table may be called from anywhere: questions (``is_running``,
``qsize`` ...), what asyncio documents as thread-safe, and what only calls what is in the table.
"""

import os

from .. import _native

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

#: (rule, owner, "module.Class" below asyncio, methods)
METHODS = (
    (
        "FT101",
        "loop",
        "base_events.BaseEventLoop",
        "call_soon call_later call_at create_future create_task set_task_factory stop run_in_executor set_default_executor "
        "getaddrinfo getnameinfo sock_sendfile create_connection sendfile start_tls create_datagram_endpoint create_server "
        "connect_accepted_socket connect_read_pipe connect_write_pipe subprocess_shell subprocess_exec set_exception_handler "
        "call_exception_handler set_debug",
    ),
    (
        "FT101",
        "loop",
        "selector_events.BaseSelectorEventLoop",
        "add_reader remove_reader add_writer remove_writer sock_recv sock_recv_into sock_recvfrom sock_recvfrom_into sock_sendall "
        "sock_sendto sock_connect sock_accept",
    ),
    (
        "FT101",
        "loop",
        "unix_events._UnixSelectorEventLoop",
        "add_signal_handler remove_signal_handler create_unix_connection create_unix_server",
    ),
    (
        "FT109",
        "loop",
        "base_events.BaseEventLoop",
        "run_forever run_until_complete shutdown_asyncgens shutdown_default_executor close",
    ),
    ("FT109", "loop", "selector_events.BaseSelectorEventLoop", "close"),
    ("FT109", "loop", "unix_events._UnixSelectorEventLoop", "close"),
    ("FT102", "loop-attribute", "futures._PyFuture", "set_result set_exception cancel add_done_callback remove_done_callback"),
    ("FT104", "loop-attribute", "futures._PyFuture", "__await__"),
    ("FT103", "loop-attribute", "tasks._PyTask", "cancel uncancel"),
    ("FT105", "loop-attribute", "base_events.Server", "close close_clients abort_clients start_serving serve_forever wait_closed"),
    ("FT105", "loop-attribute", "transports._FlowControlMixin", "set_write_buffer_limits"),
    ("FT105", "loop-attribute", "selector_events._SelectorTransport", "abort set_protocol pause_reading resume_reading close"),
    ("FT105", "loop-attribute", "selector_events._SelectorSocketTransport", "set_protocol write write_eof writelines close"),
    ("FT105", "loop-attribute", "selector_events._SelectorDatagramTransport", "sendto"),
    ("FT105", "loop-attribute", "unix_events._UnixReadPipeTransport", "pause_reading resume_reading set_protocol close"),
    ("FT105", "loop-attribute", "unix_events._UnixWritePipeTransport", "write write_eof set_protocol close abort"),
    (
        "FT105",
        "loop-attribute",
        "sslproto._SSLProtocolTransport",
        "set_protocol close pause_reading resume_reading set_write_buffer_limits set_read_buffer_limits "
        "write writelines write_eof abort",
    ),
    ("FT105", "loop-attribute", "base_subprocess.BaseSubprocessTransport", "set_protocol close send_signal terminate kill"),
    ("FT105", "loop-attribute", "streams.StreamWriter", "write writelines write_eof close drain start_tls"),
    (
        "FT105",
        "loop-attribute",
        "streams.StreamReader",
        "set_exception set_transport feed_eof feed_data readline readuntil read readexactly",
    ),
    ("FT106", "primitive", "locks.Lock", "acquire release"),
    # Where all of them wait; Event.wait and Queue.put and get are seen through it and the *_nowait methods.
    ("FT106", "primitive", "mixins._LoopBoundMixin", "_get_loop"),
    ("FT106", "primitive", "locks.Event", "set clear"),
    ("FT106", "primitive", "locks.Condition", "wait wait_for notify notify_all"),
    ("FT106", "primitive", "locks.Semaphore", "acquire release"),
    ("FT106", "primitive", "locks.BoundedSemaphore", "release"),
    ("FT106", "primitive", "locks.Barrier", "wait reset abort"),
    ("FT106", "primitive", "queues.Queue", "put_nowait get_nowait task_done join shutdown"),
    ("FT106", "primitive", "timeouts.Timeout", "reschedule __aenter__ __aexit__"),
    ("FT106", "primitive", "taskgroups.TaskGroup", "create_task __aenter__ __aexit__"),
    ("FT107", "loop-attribute-only", "events.Handle", "cancel"),
    ("FT107", "loop-attribute-only", "events.TimerHandle", "cancel"),
)

#: Where objects come to life: (kind, class).
BIRTHS = (
    ("loop-born", "base_events.BaseEventLoop"),
    ("born", "futures._PyFuture"),
    ("born", "base_events.Server"),
    ("born", "transports._FlowControlMixin"),
    ("born", "unix_events._UnixReadPipeTransport"),
    ("born", "sslproto._SSLProtocolTransport"),
    ("born", "base_subprocess.BaseSubprocessTransport"),
    ("born", "streams.StreamWriter"),
    ("born", "streams.StreamReader"),
    # Not Handle: call_soon makes one for each step of each task, and it is gone in the next iteration of its loop.
    ("born", "events.TimerHandle"),
    ("primitive-born", "locks.Lock"),
    ("primitive-born", "locks.Event"),
    ("primitive-born", "locks.Condition"),
    ("primitive-born", "locks.Semaphore"),
    ("primitive-born", "locks.Barrier"),
    ("primitive-born", "queues.Queue"),
    ("primitive-born", "timeouts.Timeout"),
    ("primitive-born", "taskgroups.TaskGroup"),
)

#: C-accelerated Future and Task: (rule, class of ``_asyncio``, methods).
C_METHODS = (
    ("FT102", "Future", "set_result set_exception cancel add_done_callback remove_done_callback"),
    ("FT103", "Task", "cancel uncancel"),
)

#: Documented as callable from any thread, whatever they call in turn.
THREAD_SAFE = (
    "base_events.BaseEventLoop.call_soon_threadsafe",
    "futures.wrap_future",
    "tasks.run_coroutine_threadsafe",
)


def hook(asyncio: ModuleType) -> None:
    """Hook asyncio, which has just been imported as a whole."""
    import _asyncio

    running = _asyncio._get_running_loop()
    _native.declare_library(os.path.dirname(asyncio.__file__ or ""))
    for path in THREAD_SAFE:
        _native.declare_thread_safe(_find(asyncio, path))
    _native.watch_running_loop(_asyncio._set_running_loop)
    if running is not None:
        _native.adopt_running_loop(running)
    _native.watch_futures(_asyncio)
    for rule, name, methods in C_METHODS:
        class_ = getattr(_asyncio, name)
        for method in methods.split():
            _native.watch_method(vars(class_)[method], "future", rule, method)
    for kind, path in BIRTHS:
        _native.watch_function(vars(_find(asyncio, path))["__init__"], kind, "FT101", "__init__")
    thread_safe_handle = _find(asyncio, "events._ThreadSafeHandle")
    for rule, owner, path, methods in METHODS:
        class_ = _find(asyncio, path)
        for method in methods.split():
            _native.watch_function(vars(class_)[method], owner, rule, method, thread_safe_handle)
    # After the prologues: these are about the code objects that run from now on.
    _native.declare_boundary(_find(asyncio, "events.Handle._run"))
    _native.declare_run_until_complete(_find(asyncio, "base_events.BaseEventLoop.run_until_complete"))


def _find(asyncio: ModuleType, path: str) -> Any:
    found: Any = asyncio
    for name in path.split("."):
        found = getattr(found, name)
    return found
