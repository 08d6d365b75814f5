"""Every kind of foreign use of gevent's primitives.

Each line marked ``# offending: RULE OPERATION`` must be reported, and no other.
"""

import threading
import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it re-enables the GIL
    import gevent
    from gevent import event, queue

done, result, items = event.Event(), event.AsyncResult(), queue.Queue()
waiters = [gevent.spawn(done.wait), gevent.spawn(result.get), gevent.spawn(items.get)]
sleeper = gevent.spawn(gevent.sleep, 60)
gevent.sleep(0)


def misuse() -> None:
    """Runs in a thread of its own."""
    done.set()  # offending: FT305 set
    result.set(None)  # offending: FT305 set
    items.put(1)  # offending: FT305 put
    sleeper.kill(block=False)  # offending: FT304 kill


thread = threading.Thread(target=misuse)
thread.start()
thread.join()
print("ok")
