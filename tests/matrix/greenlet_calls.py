"""Every kind of foreign use of a greenlet, of eventlet's primitives and of its hub.

Each line marked ``# offending: RULE OPERATION`` must be reported, and no other.
"""

import contextlib
import threading
import warnings

import greenlet

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import eventlet
    from eventlet import event, greenthread, hubs, queue, semaphore


def park() -> None:
    greenlet.getcurrent().parent.switch()


started, fresh = greenlet.greenlet(park), greenlet.greenlet(park)
started.switch()
sleeper = eventlet.spawn(eventlet.sleep, 60)
done, permits, items = event.Event(), semaphore.Semaphore(0), queue.Queue()
waiters = [eventlet.spawn(done.wait), eventlet.spawn(permits.acquire), eventlet.spawn(items.get)]
eventlet.sleep(0)
hub = hubs.get_hub()


def misuse() -> None:
    """Runs in a thread of its own."""
    with contextlib.suppress(greenlet.error):
        started.switch()  # offending: FT304 switch
    with contextlib.suppress(greenlet.error):
        fresh.switch()  # offending: FT304 switch
    with contextlib.suppress(greenlet.error):
        started.throw()  # offending: FT304 throw
    with contextlib.suppress(ValueError):
        print(started.gr_frame, end="")  # offending: FT304 gr_frame
    with contextlib.suppress(ValueError):
        print(started.gr_context, end="")  # offending: FT304 gr_context
    with contextlib.suppress(greenlet.error):
        greenthread.kill(sleeper)  # offending: FT304 kill
    hub.schedule_call_global(0, int)  # offending: FT305 schedule_call_global
    done.send(None)  # offending: FT305 send
    permits.release()  # offending: FT305 release
    items.put(1)  # offending: FT305 put


thread = threading.Thread(target=misuse)
thread.start()
thread.join()
print("\nok")
