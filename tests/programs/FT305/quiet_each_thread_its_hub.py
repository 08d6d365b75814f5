"""Every thread with a hub of its own; primitives made here and used there; eventlet's own thread pool."""

import threading
import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import eventlet
    from eventlet import event, queue, semaphore, tpool


def own(items: queue.Queue, permits: semaphore.Semaphore, done: event.Event) -> None:
    def producer() -> None:
        for number in range(20):
            with permits:
                items.put(number)
            eventlet.sleep(0)
        done.send("done")

    eventlet.spawn(producer)
    assert [items.get() for _ in range(20)] == list(range(20))
    assert done.wait() == "done"


threads = [threading.Thread(target=own, args=(queue.Queue(), semaphore.Semaphore(1), event.Event())) for _ in range(3)]
for thread in threads:
    thread.start()
own(queue.Queue(), semaphore.Semaphore(1), event.Event())
for thread in threads:
    thread.join()

# Taken over from a thread that has ended.
shared = semaphore.Semaphore(1)
for _ in range(3):
    thread = threading.Thread(target=lambda: (shared.acquire(), shared.release()))
    thread.start()
    thread.join()
shared.acquire()

assert tpool.execute(sum, [1, 2, 3]) == 6
tpool.killall()
