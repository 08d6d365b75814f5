"""Event loops and what is handed to them, imports, caches, forks."""

from __future__ import annotations

import asyncio
import functools
import os
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any

from ftsan import _native
from ftsan.testing import wait_until

from tests.order import harness
from tests.order.harness import Pair, Plain, edge, elsewhere, measured


class Loop:
    """A loop that runs in a thread of its own."""

    def __init__(self, new: Callable[[], asyncio.AbstractEventLoop]) -> None:
        self.loop = new()
        self.thread = threading.Thread(target=self.loop.run_forever)

    def __enter__(self) -> asyncio.AbstractEventLoop:
        self.thread.start()
        wait_until(self.loop.is_running)
        return self.loop

    def __exit__(self, *_: object) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()


def uvloop() -> asyncio.AbstractEventLoop:
    import uvloop

    return uvloop.new_event_loop()


def called_soon(new: Callable[[], asyncio.AbstractEventLoop]) -> bool:
    plain = Plain()
    with Loop(new) as loop:
        for _ in range(50):
            plain.acted = False
            plain.epoch = _native.epoch()
            loop.call_soon_threadsafe(
                lambda: (setattr(plain, "seen", _native.has_seen(plain.epoch)), setattr(plain, "acted", True))
            )
            wait_until(lambda: plain.acted)
            if not plain.seen:
                return False
    return True


def coroutine_run(new: Callable[[], asyncio.AbstractEventLoop]) -> bool:
    """There and back."""
    with Loop(new) as loop:
        mine = _native.epoch()

        async def there() -> tuple[bool, int]:
            await asyncio.sleep(0.01)
            return _native.has_seen(mine), _native.epoch()

        seen, epoch = asyncio.run_coroutine_threadsafe(there(), loop).result()
        return seen and _native.has_seen(epoch)


def run(new: Callable[[], asyncio.AbstractEventLoop], main: Callable[[], Coroutine[Any, Any, bool]]) -> bool:
    with asyncio.Runner(loop_factory=new) as runner:
        return runner.run(main())


async def to_thread() -> bool:
    """There and back."""
    await asyncio.to_thread(int)
    mine = _native.epoch()
    seen, epoch = await asyncio.to_thread(lambda: (_native.has_seen(mine), _native.epoch()))
    return seen and _native.has_seen(epoch)


async def run_in_executor() -> bool:
    epoch = await asyncio.get_running_loop().run_in_executor(None, _native.epoch)
    return _native.has_seen(epoch)


async def wrap_future() -> bool:
    future: Future[int] = Future()
    with elsewhere(lambda: future.set_result(_native.epoch())):
        return _native.has_seen(await asyncio.wrap_future(future))


#: What asyncio and uvloop hand on to the loop, and what asyncio wakes it up with.
DEQUE = "_collections:deque _socket:socket"
#: A result of ``concurrent.futures`` is behind a lock as well.
RESULT = f"{DEQUE} _thread:RLock"


@measured(DEQUE)
def asyncio_called_soon() -> bool:
    return called_soon(asyncio.new_event_loop)


@measured(DEQUE)
def uvloop_called_soon() -> bool:
    return called_soon(uvloop)


@measured("_thread:RLock _thread:lock")
def coroutine_run_threadsafe() -> bool:
    return coroutine_run(asyncio.new_event_loop)


@measured("_thread:RLock _thread:lock")
def uvloop_coroutine_run_threadsafe() -> bool:
    return coroutine_run(uvloop)


@measured("_queue:SimpleQueue _thread:RLock")
def asyncio_to_thread() -> bool:
    return run(asyncio.new_event_loop, to_thread)


@measured("_queue:SimpleQueue _thread:RLock")
def uvloop_to_thread() -> bool:
    return run(uvloop, to_thread)


@measured(RESULT)
def asyncio_run_in_executor() -> bool:
    return run(asyncio.new_event_loop, run_in_executor)


@measured(RESULT)
def uvloop_run_in_executor() -> bool:
    return run(uvloop, run_in_executor)


@measured(RESULT)
def asyncio_wrap_future() -> bool:
    return run(asyncio.new_event_loop, wrap_future)


@measured("twisted.internet.base:ReactorBase.callFromThread posix:")
def twisted_call_from_thread() -> bool:
    """And deferToThread, which comes back that way."""
    from twisted.internet import reactor as some_reactor
    from twisted.internet import threads

    reactor: Any = some_reactor
    plain = Plain()
    results: list[bool] = []

    def other() -> None:
        for _ in range(20):
            plain.epoch, plain.acted = _native.epoch(), False
            reactor.callFromThread(lambda: (results.append(_native.has_seen(plain.epoch)), setattr(plain, "acted", True)))
            wait_until(lambda: plain.acted)
        reactor.callFromThread(defer)

    def defer() -> None:
        deferred = threads.deferToThread(_native.epoch)
        deferred.addCallback(lambda epoch: (results.append(_native.has_seen(epoch)), reactor.stop()))

    reactor.callWhenRunning(lambda: threading.Thread(target=other).start())
    reactor.run()
    return len(results) == 21 and all(results)


@measured("_collections:deque _thread:RLock _thread:lock _queue:SimpleQueue _socket:socket")
def trio_from_thread() -> bool:
    """There, and back twice."""
    import trio

    results: list[bool] = []

    async def main() -> None:
        mine = _native.epoch()

        def there() -> int:
            results.append(_native.has_seen(mine))
            epoch = _native.epoch()
            trio.from_thread.run_sync(lambda: results.append(_native.has_seen(epoch)))
            return _native.epoch()

        results.append(_native.has_seen(await trio.to_thread.run_sync(there)))

    trio.run(main)
    return results == [True, True, True]


@measured("_collections:deque _thread:RLock _thread:lock _queue:SimpleQueue _socket:socket")
def anyio_from_thread() -> bool:
    import anyio
    import anyio.from_thread
    import anyio.to_thread

    results: list[bool] = []

    async def main() -> None:
        mine = _native.epoch()

        def there() -> int:
            results.append(_native.has_seen(mine))
            epoch = _native.epoch()
            anyio.from_thread.run_sync(lambda: results.append(_native.has_seen(epoch)))
            return _native.epoch()

        results.append(_native.has_seen(await anyio.to_thread.run_sync(there)))

    anyio.run(main)
    return results == [True, True, True]


@measured("")
def greenlets_of_a_thread() -> bool:
    """Program order: nothing is needed."""
    import greenlet

    epochs: list[int] = []
    greenlet.greenlet(lambda: epochs.append(_native.epoch())).switch()
    return _native.has_seen(epochs[0])


@edge("_functools:_lru_cache_wrapper")
def value_of_a_cache() -> Pair:
    cached = functools.lru_cache(lambda key: Plain())
    return lambda: cached(1), lambda: cached(1)


@edge("_functools:_lru_cache_wrapper")
def value_of_a_bounded_method_cache() -> Pair:
    class Class:
        @functools.lru_cache(maxsize=8)  # noqa: B019
        def method(self) -> Plain:
            return Plain()

    instance = Class()
    return instance.method, instance.method


@edge("", expected=False)
def cache_hit_after_a_hit() -> Pair:
    cached = functools.lru_cache(lambda key: Plain())
    cached(1)
    return lambda: cached(1), lambda: cached(1)


@measured("")
def child_of_a_fork() -> bool:
    """All that all threads have done is before what the child does, in whatever thread."""
    plain = Plain()
    with elsewhere(lambda: (setattr(plain, "epoch", _native.epoch()), wait_until(lambda: plain.acted))):
        wait_until(lambda: plain.epoch)
        mine = _native.epoch()
        child = os.fork()
        if child == 0:
            results: list[bool] = []
            thread = threading.Thread(target=lambda: results.extend([_native.has_seen(mine), _native.has_seen(plain.epoch)]))
            thread.start()
            thread.join()
            os._exit(0 if results == [True, True] and _native.has_seen(plain.epoch) else 1)
        plain.acted = True
    return os.waitpid(child, 0)[1] == 0


if __name__ == "__main__":
    harness.main()
