"""The program of ``ftsan doctor``: every misuse once, harmlessly.  Its arguments are the libraries that can be watched here."""

import asyncio
import contextlib
import contextvars
import importlib
import os
import select
import selectors
import socket
import ssl
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

from ftsan.testing import in_turns, wait_until, wait_until_blocked


def _in_thread(*misuses: Callable[[], object]) -> None:
    def run() -> None:
        for misuse in misuses:
            with contextlib.suppress(Exception):
                misuse()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()


async def _main() -> None:
    loop = asyncio.get_running_loop()
    server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    future = loop.create_future()

    async def foreign() -> None:
        await future

    task = asyncio.create_task(asyncio.sleep(60))
    timer = loop.call_later(60, print)
    event = asyncio.Event()
    await asyncio.sleep(0)
    _in_thread(lambda: loop.call_soon(lambda: None))
    _in_thread(lambda: future.add_done_callback(lambda _: None))
    _in_thread(task.cancel)
    _in_thread(lambda: asyncio.run(foreign()))
    _in_thread(server.close)
    _in_thread(event.set)
    _in_thread(timer.cancel)
    _in_thread(loop.close)
    future.cancel()


def _loop_gone() -> None:
    loop = asyncio.new_event_loop()
    future = loop.create_future()
    loop.close()

    async def late() -> None:
        await future

    with contextlib.suppress(RuntimeError):
        asyncio.run(late())  # FT110


@contextlib.contextmanager
def _meanwhile(blocking: Callable[[], object]) -> Iterator[None]:
    """A thread is in that call."""
    thread = threading.Thread(target=blocking)
    thread.start()
    wait_until_blocked(thread)
    yield
    thread.join()


def _descriptors() -> None:
    ours, theirs = socket.socketpair()
    with _meanwhile(lambda: ours.recv(1)), _meanwhile(lambda: ours.recv(1)):  # FT205
        theirs.send(b"1")
        theirs.send(b"2")
    with _meanwhile(lambda: ours.recv(1)):
        ours.close()  # FT201
        theirs.close()

    poller = selectors.PollSelector()
    selector = selectors.DefaultSelector()
    first, peer = socket.socketpair()
    selector.register(peer, selectors.EVENT_READ)
    poller.register(peer, selectors.EVENT_READ)
    with _meanwhile(lambda: poller.select(0.3)):
        poller.modify(peer, selectors.EVENT_WRITE)  # FT204
    selector.register(first, selectors.EVENT_READ)
    _in_thread(first.close)
    os.close(os.open(os.devnull, os.O_RDONLY))  # FT202

    epoll = select.epoll()
    epoll.register(peer, select.EPOLLIN)
    epoll.unregister(peer)
    _in_thread(lambda: epoll.unregister(peer))  # FT203

    number = os.open(os.devnull, os.O_RDONLY)
    for _ in range(2):
        _in_thread(lambda: os.close(number))  # FT206

    null = os.open(os.devnull, os.O_RDONLY)
    redirected, again = [False], [False]

    def redirect() -> None:
        os.dup2(null, 0)
        redirected[0] = True
        wait_until(lambda: again[0])

    redirecting = threading.Thread(target=redirect)
    redirecting.start()
    wait_until(lambda: redirected[0])
    os.dup2(null, 0)  # FT207
    again[0] = True
    redirecting.join()

    ours, theirs = socket.socketpair()
    tls = ssl.create_default_context().wrap_socket(ours, server_hostname="localhost", do_handshake_on_connect=False)

    def shake() -> None:
        with contextlib.suppress(OSError):
            tls.do_handshake()

    with _meanwhile(shake):
        tls.sendall(b"")  # FT208
        theirs.close()


class _Shared:
    count = 0
    cache: list[int] | None = None
    latest: object = None
    is_ready = False
    value = 0


def _races() -> None:
    shared, rows, numbers = _Shared(), [1], (number for number in range(9))

    def update() -> None:
        shared.count += 1  # FT401
        if shared.cache is None:
            shared.cache = []  # FT402
        for _ in rows:  # FT403
            pass
        rows.append(1)
        shared.latest = object()  # FT404
        next(numbers)  # FT405
        os.chdir(os.getcwd())  # FT408

    def publish() -> None:
        shared.is_ready = True
        shared.value = 42

    def use() -> None:
        if shared.is_ready:  # FT407
            assert shared.value  # FT406

    for first, second in ((update, update), (publish, use)):
        in_turns(first, second)


def _locks() -> None:
    first, second = threading.Lock(), threading.Lock()

    def take(outer: threading.Lock, inner: threading.Lock) -> None:
        with outer, inner:
            pass

    _in_thread(lambda: take(first, second))
    _in_thread(lambda: take(second, first))  # FT501
    with contextlib.suppress(RuntimeError), first:
        _in_thread(lambda: first.release())  # FT503

    async def wait() -> None:
        with second:
            await asyncio.sleep(0)  # FT502

    asyncio.run(wait())


def _fork() -> None:
    lock, held, done = threading.Lock(), threading.Event(), threading.Event()

    def hold() -> None:
        with lock:
            held.set()
            done.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    if not os.fork():
        os._exit(0)  # FT603
    os.wait()
    done.set()
    thread.join()


def _runtime() -> None:
    from importlib.machinery import ExtensionFileLoader
    from importlib.util import find_spec, module_from_spec, spec_from_loader

    tests = find_spec("_testmultiphase")
    if tests is not None and tests.origin:
        for name in ("_testmultiphase_nonmodule", "_testmultiphase_nonmodule_with_methods"):
            spec = spec_from_loader(name, ExtensionFileLoader(name, tests.origin))
            assert spec is not None
            module_from_spec(spec)  # FT601, FT602


def _twisted() -> None:
    from twisted.internet import protocol
    from twisted.internet.defer import Deferred

    reactor: Any = importlib.import_module("twisted.internet.reactor")
    port = reactor.listenTCP(0, protocol.Factory(), interface="127.0.0.1")

    def main() -> None:
        fired = Deferred[None]()
        _in_thread(lambda: reactor.callLater(0, int), lambda: fired.callback(None), port.startReading)
        reactor.stop()

    reactor.callWhenRunning(main)
    reactor.run()


def _trio() -> None:
    import trio

    async def main() -> None:
        event = trio.Event()
        _in_thread(event.set)

    trio.run(main)


def _anyio() -> None:
    import anyio

    async def main() -> None:
        event = anyio.Event()
        _in_thread(event.set)

    anyio.run(main)


def _greenlet() -> None:
    import greenlet

    made = greenlet.greenlet(int)
    _in_thread(made.switch)


def _eventlet() -> None:
    from eventlet.semaphore import Semaphore

    semaphore = Semaphore(1)
    semaphore.acquire()
    _in_thread(semaphore.release)


def _gevent() -> None:
    from gevent.event import Event

    event = Event()
    event.set()
    _in_thread(event.set)


if __name__ == "__main__":
    asyncio.run(_main())
    _loop_gone()
    _descriptors()
    _locks()
    _races()
    context = contextvars.copy_context()
    context.run(lambda: _in_thread(lambda: context.run(int)))
    for library in sys.argv[1:]:
        with contextlib.suppress(ImportError):
            globals().get(f"_{library}", lambda: None)()
    _fork()
    _runtime()
