"""Locks and what is made of them, queues, deques, threads."""

from __future__ import annotations

import _imp
import _thread
import collections
import contextlib
import queue
import threading
import time
import weakref
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from concurrent.futures import wait as wait_for_futures
from typing import Any

from ftsan import _native
from ftsan.testing import wait_until, wait_until_blocked

from tests.order import harness
from tests.order.harness import Pair, Plain, edge, measured, ordered


def use(lock: Any) -> None:
    with lock:
        pass


@edge("_thread:lock")
def lock() -> Pair:
    lock = threading.Lock()
    return lambda: use(lock), lambda: use(lock)


@edge("_thread:lock.release_lock")
def lock_by_its_old_names() -> Pair:
    lock: Any = threading.Lock()
    return lambda: (lock.acquire_lock(), lock.release_lock()), lambda: (lock.acquire_lock(), lock.release_lock())


@edge("_thread:lock.release")
def lock_released_by_the_other_thread() -> Pair:
    lock = threading.Lock()
    lock.acquire()
    return lock.release, lambda: lock.acquire(timeout=5)


@edge("", expected=False)
def lock_not_acquired() -> Pair:
    lock = threading.Lock()
    return lambda: (use(lock), lock.acquire()), lambda: lock.acquire(blocking=False)


@edge("threading:Semaphore.release")
def semaphore_of_two_that_is_free_again() -> Pair:
    semaphore = threading.Semaphore(2)
    semaphore.acquire()
    semaphore.acquire()
    return semaphore.release, semaphore.acquire


@edge("threading:BoundedSemaphore.release")
def bounded_semaphore_that_is_free_again() -> Pair:
    semaphore = threading.BoundedSemaphore(2)
    semaphore.acquire()
    semaphore.acquire()
    return semaphore.release, semaphore.acquire


@edge("threading:Semaphore.__init__", expected=False)
def semaphore_of_two_with_room_for_both() -> Pair:
    semaphore = threading.Semaphore(2)
    return lambda: use(semaphore), lambda: use(semaphore)


@edge("_thread:lock.locked")
def lock_found_open() -> Pair:
    lock = threading.Lock()
    lock.acquire()
    return lock.release, lock.locked


@edge("", expected=False)
def another_lock() -> Pair:
    return lambda: use(threading.Lock()), lambda: use(threading.Lock())


@edge("_thread:RLock")
def rlock() -> Pair:
    lock = threading.RLock()
    return lambda: (use(lock), use(lock)), lambda: use(lock)


@edge("_thread:RLock.release")
def rlock_by_calls() -> Pair:
    lock = threading.RLock()
    return lambda: (lock.acquire(), lock.release()), lambda: (lock.acquire(), lock.release())


@edge("_thread:lock _thread:RLock", blocking=True)
def condition_notified() -> Pair:
    condition = threading.Condition()

    def notice() -> None:
        with condition:
            condition.wait(10)

    def act() -> None:
        with condition:
            condition.notify()

    return act, notice


@edge("_thread:RLock._acquire_restore", blocking=True)
def condition_taken_back_after_a_wait() -> Pair:
    condition = threading.Condition()

    def notice() -> None:
        with condition:
            condition.wait(0.5)

    return lambda: use(condition), notice


@edge("_thread:RLock._release_save", blocking=True)
def condition_given_up_by_a_wait() -> Pair:
    condition = threading.Condition()

    def act() -> None:
        with condition:
            condition.wait(0.5)

    def notice() -> None:
        time.sleep(0.3)  # the other thread waits by then, which lets go of the condition
        use(condition)

    return act, notice


@edge("_thread:lock")
def event_waited_for() -> Pair:
    event = threading.Event()
    return event.set, lambda: event.wait(10)


@edge("threading:Event.is_set")
def event_is_set() -> Pair:
    event = threading.Event()
    return event.set, event.is_set


@edge("threading:Event.set")
def event_is_set_once() -> Pair:
    event = threading.Event()
    return event.set, event.is_set


@edge("", expected=False)
def event_cleared() -> Pair:
    event = threading.Event()
    return lambda: (event.set(), event.clear()), event.is_set


@edge("_thread:lock")
def semaphore() -> Pair:
    semaphore = threading.Semaphore(0)
    return semaphore.release, semaphore.acquire


@edge("_thread:lock", blocking=True)
def barrier() -> Pair:
    barrier = threading.Barrier(2)
    return lambda: barrier.wait(10), lambda: barrier.wait(10)


@edge("_queue:SimpleQueue")
def simple_queue() -> Pair:
    simple: queue.SimpleQueue[int] = queue.SimpleQueue()
    return lambda: simple.put(1), simple.get


@edge("_queue:SimpleQueue")
def simple_queue_without_waiting() -> Pair:
    simple: queue.SimpleQueue[int] = queue.SimpleQueue()
    return lambda: simple.put_nowait(1), simple.get_nowait


@edge("_queue:SimpleQueue")
def simple_queue_asked_for_its_size() -> Pair:
    simple: queue.SimpleQueue[int] = queue.SimpleQueue()
    return lambda: simple.put(1), simple.qsize


@edge("_queue:SimpleQueue")
def simple_queue_asked_whether_it_is_empty() -> Pair:
    simple: queue.SimpleQueue[int] = queue.SimpleQueue()
    return lambda: simple.put(1), simple.empty


@edge("_queue:SimpleQueue", blocking=True)
def simple_queue_waited_for() -> Pair:
    simple: queue.SimpleQueue[int] = queue.SimpleQueue()
    return lambda: simple.put(1), simple.get


@edge("_thread:lock")
def queue_of_any_kind() -> Pair:
    any_kind: queue.PriorityQueue[int] = queue.PriorityQueue()
    return lambda: any_kind.put(1), any_kind.get


@edge("_thread:lock")
def queue_joined() -> Pair:
    any_kind: queue.Queue[int] = queue.Queue()
    any_kind.put(1)
    return lambda: (any_kind.get(), any_kind.task_done()), any_kind.join


@edge("_collections:deque.append")
def deque_append_to_popleft() -> Pair:
    deque: collections.deque[int] = collections.deque()
    return lambda: deque.append(1), deque.popleft


@edge("_collections:deque.appendleft")
def deque_appendleft_to_pop() -> Pair:
    deque: collections.deque[int] = collections.deque()
    return lambda: deque.appendleft(1), deque.pop


@edge("_collections:deque.extend")
def deque_extend() -> Pair:
    deque: collections.deque[int] = collections.deque()
    return lambda: deque.extend([1]), deque.popleft


@edge("_collections:deque.extendleft")
def deque_extendleft() -> Pair:
    deque: collections.deque[int] = collections.deque()
    return lambda: deque.extendleft([1]), deque.popleft


@edge("_collections:deque.insert")
def deque_insert() -> Pair:
    deque: collections.deque[int] = collections.deque()
    return lambda: deque.insert(0, 1), deque.popleft


@edge("", expected=False)
def deque_found_empty() -> Pair:
    deque: collections.deque[int] = collections.deque()

    def notice() -> None:
        with contextlib.suppress(IndexError):
            deque.popleft()

    return lambda: (deque.append(1), deque.clear()), notice


@edge("_thread:RLock")
def future_result() -> Pair:
    future: Future[int] = Future()
    return lambda: future.set_result(1), future.result


@edge("_thread:RLock")
def future_done() -> Pair:
    future: Future[int] = Future()
    return lambda: future.set_result(1), future.done


@edge("_thread:lock _thread:RLock", blocking=True)
def futures_waited_for() -> Pair:
    future: Future[int] = Future()
    return lambda: future.set_result(1), lambda: wait_for_futures([future])


@edge("_thread:lock _thread:RLock builtins:list", blocking=True)
def futures_as_completed() -> Pair:
    future: Future[int] = Future()
    return lambda: future.set_result(1), lambda: list(as_completed([future]))


@edge("_weakref:ReferenceType")
def finalizer_of_weakref() -> Pair:
    def notice() -> None:
        # Let go by the thread that made it: another one would leave that to it.
        weakref.finalize(Plain(), int)

    return int, notice


@edge("_weakref:ReferenceType")
def callback_of_weakref() -> Pair:
    def notice() -> None:
        plain = Plain()
        reference = weakref.ref(plain, lambda _: None)
        del plain
        assert reference() is None

    return int, notice


@edge("", expected=False)
def callback_called_by_hand() -> Pair:
    def notice() -> None:
        plain = Plain()
        reference = weakref.ref(plain, notified)
        notified(reference)

    def notified(_: object) -> None:
        pass

    return int, notice


@edge("_weakref:.proxy")
def callback_of_a_proxy() -> Pair:
    def notice() -> None:
        plain = Plain()
        reference = weakref.proxy(plain, lambda _: None)
        del plain, reference

    return int, notice


@edge("_imp:")
def import_lock() -> Pair:
    def use() -> None:
        _imp.acquire_lock()
        _imp.release_lock()

    return use, use


@measured("_thread:._count")
def threads_counted() -> bool:
    plain, before = Plain(), _thread._count()
    _thread.start_new_thread(lambda: setattr(plain, "epoch", _native.epoch()), ())
    wait_until(lambda: plain.epoch)
    wait_until(lambda: _thread._count() == before)
    return _native.has_seen(plain.epoch)


@measured("_thread:")
def thread_start() -> bool:
    # A thread that nobody we know has started counts as coming after everything: so the other thread tells.
    plain, result = Plain(), []
    mine = _native.epoch()
    with harness.elsewhere(lambda: (setattr(plain, "epoch", _native.epoch()), wait_until(lambda: plain.acted))):
        wait_until(lambda: plain.epoch)

        def started() -> None:
            result.append(_native.has_seen(mine) and not _native.has_seen(plain.epoch))

        thread = threading.Thread(target=started)
        thread.start()
        thread.join()
        plain.acted = True
    return result == [True]


@measured("_thread:")
def thread_start_by_hand() -> bool:
    plain, result = Plain(), []
    mine = _native.epoch()
    with harness.elsewhere(lambda: (setattr(plain, "epoch", _native.epoch()), wait_until(lambda: plain.acted))):
        wait_until(lambda: plain.epoch)
        _thread.start_new_thread(lambda: result.append(_native.has_seen(mine) and not _native.has_seen(plain.epoch)), ())
        wait_until(lambda: result)
        plain.acted = True
    return result == [True]


def thread_and_its_epoch(daemon: bool = False) -> tuple[threading.Thread, Plain]:
    plain = Plain()
    thread = threading.Thread(target=lambda: setattr(plain, "epoch", _native.epoch()), daemon=daemon)
    thread.start()
    wait_until(lambda: plain.epoch)
    assert not _native.has_seen(plain.epoch)
    return thread, plain


@measured("_thread:_ThreadHandle.join")
def thread_join() -> bool:
    thread, plain = thread_and_its_epoch()
    thread.join()
    return _native.has_seen(plain.epoch)


@measured("_thread:_ThreadHandle.is_done")
def thread_is_alive() -> bool:
    thread, plain = thread_and_its_epoch(daemon=True)
    wait_until(lambda: not thread.is_alive())
    return _native.has_seen(plain.epoch)


@measured("", expected=False)
def thread_joined_in_vain() -> bool:
    plain = Plain()
    thread = threading.Thread(target=lambda: (setattr(plain, "epoch", _native.epoch()), wait_until(lambda: plain.acted)))
    thread.start()
    wait_until(lambda: plain.epoch)
    thread.join(0.05)
    seen = _native.has_seen(plain.epoch)
    plain.acted = True
    thread.join()
    return seen


@measured("_thread:_ThreadHandle.join")
def thread_local_finalized() -> bool:
    """The thread goes on to act after its function has returned."""
    plain = Plain()

    class Last:
        def __del__(self) -> None:
            threading.Lock().acquire()
            plain.epoch = _native.epoch()

    local = threading.local()
    thread = threading.Thread(target=lambda: setattr(local, "last", Last()))
    thread.start()
    thread.join()
    return _native.has_seen(plain.epoch)


@measured("threading:Event.is_set")
def timer() -> bool:
    plain, mine = Plain(), _native.epoch()
    timer = threading.Timer(0.01, lambda: setattr(plain, "seen", _native.has_seen(mine)))
    timer.start()
    timer.join()
    # The start of the thread is an edge of its own.
    return ordered(timer.cancel, timer.finished.is_set) and plain.seen


@measured("_queue:SimpleQueue")
def executor_submit() -> bool:
    plain = Plain()
    with ThreadPoolExecutor(1) as executor:
        executor.submit(int).result()
        plain.epoch = _native.epoch()
        executor.submit(lambda: (setattr(plain, "seen", _native.has_seen(plain.epoch)), setattr(plain, "acted", True)))
        wait_until(lambda: plain.acted)
        return plain.seen


@measured("_thread:RLock")
def executor_map() -> bool:
    with ThreadPoolExecutor(2) as executor:
        return all(_native.has_seen(epoch) for epoch in executor.map(lambda _: _native.epoch(), range(8)))


@edge("threading:_active_limbo_lock", expected=False)
def threads_that_begin_and_end() -> Pair:
    def begin_and_end() -> None:
        thread = threading.Thread(target=lambda: None)
        thread.start()
        thread.join()

    return begin_and_end, begin_and_end


@measured("concurrent.futures.thread:_global_shutdown_lock", expected=False)
def executors_of_their_own() -> bool:
    one, other = ThreadPoolExecutor(1), ThreadPoolExecutor(1)
    with one, other:
        return ordered(lambda: one.submit(int), lambda: other.submit(int))


@measured("concurrent.futures.thread:ThreadPoolExecutor._adjust_thread_count", expected=False)
def executor_with_an_idle_thread() -> bool:
    plain = Plain()
    with ThreadPoolExecutor(1) as executor:
        executor.submit(lambda: setattr(plain, "epoch", _native.epoch()))
        wait_until(lambda: plain.epoch)
        wait_until_blocked(*executor._threads)
        executor.submit(int)
        return _native.has_seen(plain.epoch)


if __name__ == "__main__":
    harness.main()
