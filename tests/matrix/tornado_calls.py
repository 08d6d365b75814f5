"""Every kind of foreign call on tornado's queues, locks, periodic callbacks and its loop.

The loop is running, and its thread is inside one of its callbacks while the calls are made.  Each line marked
``# offending: RULE OPERATION`` must be reported, and no other.
"""

import asyncio
import contextlib
import socket
import threading

from tornado import ioloop, iostream, locks, queues

ours, theirs = socket.socketpair()
near, far = socket.socketpair()


class Things:
    """What belongs to the loop."""

    def __init__(self) -> None:
        self.loop = ioloop.IOLoop.current()
        self.queue, self.filled = queues.Queue[int](), queues.Queue[int]()
        self.filled.put_nowait(1)
        self.event, self.condition = locks.Event(), locks.Condition()
        self.lock, self.semaphore, self.bounded = locks.Lock(), locks.Semaphore(1), locks.BoundedSemaphore(1)
        self.lock.acquire()
        self.bounded.acquire()
        self.beat, self.late = ioloop.PeriodicCallback(int, 60000), ioloop.PeriodicCallback(int, 60000)
        self.beat.start()
        self.timer = self.loop.call_later(60, int)
        self.stream = iostream.IOStream(near)


def misuse(things: Things) -> None:
    """Runs in a thread of its own."""
    things.queue.put_nowait(1)  # offending: FT106 put_nowait
    with contextlib.suppress(RuntimeError):
        things.queue.put(1)  # offending: FT106 put
    things.filled.get_nowait()  # offending: FT106 get_nowait
    things.filled.task_done()  # offending: FT106 task_done
    things.event.set()  # offending: FT106 set
    things.event.clear()  # offending: FT106 clear
    things.condition.notify()  # offending: FT106 notify
    things.condition.notify_all()  # offending: FT106 notify_all
    things.lock.release()  # offending: FT106 release
    things.semaphore.release()  # offending: FT106 release
    things.bounded.release()  # offending: FT106 release
    things.beat.stop()  # offending: FT101 stop
    with contextlib.suppress(RuntimeError):
        things.late.start()  # offending: FT101 start
    things.loop.call_later(60, int)  # offending: FT101 call_later
    things.loop.add_timeout(things.loop.time() + 60, int)  # offending: FT101 add_timeout
    things.loop.remove_timeout(things.timer)  # offending: FT101 remove_timeout
    things.loop.add_handler(ours, lambda fd, events: None, ioloop.IOLoop.READ)  # offending: FT101 add_handler
    things.loop.update_handler(ours, ioloop.IOLoop.WRITE)  # offending: FT101 update_handler
    things.loop.remove_handler(ours)  # offending: FT101 remove_handler
    things.loop.run_in_executor(None, int)  # offending: FT101 run_in_executor
    with contextlib.suppress(RuntimeError):
        things.stream.write(b"x")  # offending: FT105 write
    with contextlib.suppress(RuntimeError):
        things.stream.read_bytes(1)  # offending: FT105 read_bytes
    things.stream.set_close_callback(int)  # offending: FT105 set_close_callback
    things.stream.close()  # offending: FT105 close
    things.loop.add_callback(int)
    things.loop.spawn_callback(int)


async def main() -> None:
    things = Things()
    thread = threading.Thread(target=misuse, args=(things,))
    thread.start()
    thread.join()


asyncio.run(main())
print("ok")
