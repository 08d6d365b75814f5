"""An event of eventlet is sent by a native thread."""

import threading
import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import eventlet
    from eventlet.event import Event

ready = Event()  # created
waiter = eventlet.spawn(ready.wait)
eventlet.sleep(0)


def worker() -> None:
    ready.send(None)  # offending: send


thread = threading.Thread(target=worker)
thread.start()  # owner
thread.join()  # owner
