"""asyncio: which functions may only be called by the thread that runs the loop.

The table is in the form of ``declarations``.  A function that is not in it may be called from anywhere: questions
(``is_running``, ``qsize`` ...), what asyncio documents as thread-safe, and what only calls what is in the table.
"""

import sys

from .. import _native
from . import declarations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

DISTRIBUTION = ""
VERSIONS = ()
REALM = "asyncio"

METHODS = (
    (
        "FT101",
        "loop",
        "asyncio.base_events:BaseEventLoop",
        "call_soon call_later call_at create_future create_task set_task_factory stop run_in_executor set_default_executor "
        "getaddrinfo getnameinfo sock_sendfile create_connection sendfile start_tls create_datagram_endpoint create_server "
        "connect_accepted_socket connect_read_pipe connect_write_pipe subprocess_shell subprocess_exec set_exception_handler "
        "call_exception_handler set_debug",
    ),
    (
        "FT101",
        "loop",
        "asyncio.selector_events:BaseSelectorEventLoop",
        "add_reader remove_reader add_writer remove_writer sock_recv sock_recv_into sock_recvfrom sock_recvfrom_into sock_sendall "
        "sock_sendto sock_connect sock_accept",
    ),
    (
        "FT101",
        "loop",
        "asyncio.unix_events:_UnixSelectorEventLoop",
        "add_signal_handler remove_signal_handler create_unix_connection create_unix_server",
    ),
    (
        "FT109",
        "loop",
        "asyncio.base_events:BaseEventLoop",
        "run_forever run_until_complete shutdown_asyncgens shutdown_default_executor close",
    ),
    ("FT109", "loop", "asyncio.selector_events:BaseSelectorEventLoop", "close"),
    ("FT109", "loop", "asyncio.unix_events:_UnixSelectorEventLoop", "close"),
    (
        "FT102",
        "attribute:_loop",
        "asyncio.futures:_PyFuture",
        "set_result set_exception cancel add_done_callback remove_done_callback",
    ),
    ("FT104", "attribute:_loop", "asyncio.futures:_PyFuture", "__await__"),
    # gather() looks at the loops of futures before it touches them.
    ("FT104", "future-argument", "asyncio.tasks:", "ensure_future"),
    ("FT109", "asks-closed", "asyncio.base_events:BaseEventLoop", "is_closed"),
    ("FT109", "hands-over", "asyncio.base_events:BaseEventLoop", "call_soon_threadsafe"),
    ("FT103", "attribute:_loop", "asyncio.tasks:_PyTask", "cancel uncancel"),
    (
        "FT105",
        "attribute:_loop",
        "asyncio.base_events:Server",
        "close close_clients abort_clients start_serving serve_forever wait_closed",
    ),
    ("FT105", "attribute:_loop", "asyncio.transports:_FlowControlMixin", "set_write_buffer_limits"),
    (
        "FT105",
        "attribute:_loop",
        "asyncio.selector_events:_SelectorTransport",
        "abort set_protocol pause_reading resume_reading close",
    ),
    (
        "FT105",
        "attribute:_loop",
        "asyncio.selector_events:_SelectorSocketTransport",
        "set_protocol write write_eof writelines close",
    ),
    ("FT105", "attribute:_loop", "asyncio.selector_events:_SelectorDatagramTransport", "sendto"),
    ("FT105", "attribute:_loop", "asyncio.unix_events:_UnixReadPipeTransport", "pause_reading resume_reading set_protocol close"),
    ("FT105", "attribute:_loop", "asyncio.unix_events:_UnixWritePipeTransport", "write write_eof set_protocol close abort"),
    (
        "FT105",
        "attribute:_loop",
        "asyncio.sslproto:_SSLProtocolTransport",
        "set_protocol close pause_reading resume_reading set_write_buffer_limits set_read_buffer_limits "
        "write writelines write_eof abort",
    ),
    (
        "FT105",
        "attribute:_loop",
        "asyncio.base_subprocess:BaseSubprocessTransport",
        "set_protocol close send_signal terminate kill",
    ),
    ("FT105", "attribute:_loop", "asyncio.subprocess:Process", "send_signal terminate kill"),
    ("FT105", "attribute:_loop", "asyncio.streams:StreamWriter", "write writelines write_eof close drain start_tls"),
    (
        "FT105",
        "attribute:_loop",
        "asyncio.streams:StreamReader",
        "set_exception set_transport feed_eof feed_data readline readuntil read readexactly",
    ),
    ("FT106", "first-use", "asyncio.locks:Lock", "acquire release"),
    # Where all of them wait; Event.wait and Queue.put and get are seen through it and the *_nowait methods.
    ("FT106", "first-use-waits", "asyncio.mixins:_LoopBoundMixin", "_get_loop"),
    ("FT106", "first-use", "asyncio.locks:Event", "set clear"),
    ("FT106", "first-use", "asyncio.locks:Condition", "wait wait_for notify notify_all"),
    ("FT106", "first-use", "asyncio.locks:Semaphore", "acquire release"),
    ("FT106", "first-use", "asyncio.locks:BoundedSemaphore", "release"),
    ("FT106", "first-use", "asyncio.locks:Barrier", "wait reset abort"),
    ("FT106", "first-use", "asyncio.queues:Queue", "put_nowait get_nowait task_done join shutdown"),
    ("FT106", "first-use", "asyncio.timeouts:Timeout", "reschedule __aenter__ __aexit__"),
    ("FT106", "first-use", "asyncio.taskgroups:TaskGroup", "create_task cancel? __aenter__ __aexit__"),
    ("FT107", "attribute-only:_loop", "asyncio.events:Handle", "cancel"),
    ("FT107", "attribute-only:_loop", "asyncio.events:TimerHandle", "cancel"),
)

BIRTHS = (
    ("loop-born", "asyncio.base_events:BaseEventLoop"),
    ("born", "asyncio.futures:_PyFuture"),
    ("born", "asyncio.base_events:Server"),
    ("born", "asyncio.transports:_FlowControlMixin"),
    ("born", "asyncio.unix_events:_UnixReadPipeTransport"),
    ("born", "asyncio.sslproto:_SSLProtocolTransport"),
    ("born", "asyncio.base_subprocess:BaseSubprocessTransport"),
    ("born", "asyncio.subprocess:Process"),
    ("born", "asyncio.streams:StreamWriter"),
    ("born", "asyncio.streams:StreamReader"),
    # Not Handle: call_soon makes one for each step of each task, and it is gone in the next iteration of its loop.
    ("born", "asyncio.events:TimerHandle"),
    ("first-use-born", "asyncio.locks:Lock"),
    ("first-use-born", "asyncio.locks:Event"),
    ("first-use-born", "asyncio.locks:Condition"),
    ("first-use-born", "asyncio.locks:Semaphore"),
    ("first-use-born", "asyncio.locks:Barrier"),
    ("first-use-born", "asyncio.queues:Queue"),
    ("first-use-born", "asyncio.timeouts:Timeout"),
    ("first-use-born", "asyncio.taskgroups:TaskGroup"),
)

#: C-accelerated Future and Task: (rule, class of ``_asyncio``, methods).
C_METHODS = (
    ("FT102", "Future", "set_result set_exception cancel add_done_callback remove_done_callback"),
    ("FT103", "Task", "cancel uncancel add_done_callback remove_done_callback"),
)

HAND_OVERS = (
    "asyncio.base_events:BaseEventLoop.call_soon_threadsafe",
    "asyncio.futures:wrap_future",
    "asyncio.tasks:run_coroutine_threadsafe",
)


#: What ``call_soon_threadsafe`` returns.
EXCEPT = "asyncio.events:_ThreadSafeHandle"


def hook(asyncio: ModuleType) -> None:
    """Hook asyncio, which has just been imported as a whole."""
    import _asyncio

    from . import any_loop

    running = _asyncio._get_running_loop()
    _native.watch_running_loop(_asyncio._set_running_loop, any_loop.meet, any_loop.look_around)
    if running is not None:
        _native.adopt_running_loop(running)
    _native.watch_futures(_asyncio)
    for rule, name, methods in C_METHODS:
        declarations.watch_methods(getattr(_asyncio, name), methods.split(), "future", rule, REALM)
    declarations.watch(sys.modules[__name__], asyncio)
    # After the prologues: these are about the code objects that run from now on.
    _native.declare_boundary(asyncio.events.Handle._run)
    _native.declare_carrier(asyncio.events.Handle._run, asyncio.events.TimerHandle)
    _native.declare_run_until_complete(asyncio.base_events.BaseEventLoop.run_until_complete)
