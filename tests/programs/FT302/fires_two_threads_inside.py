"""Without a reactor: a thread adds a callback to a Deferred that another thread is firing."""

import threading

from twisted.internet.defer import Deferred

inside, leave = threading.Event(), threading.Event()


def callback(result: int) -> int:
    inside.set()
    leave.wait()  # owner
    return result


deferred = Deferred[int]()  # created
deferred.addCallback(callback)
thread = threading.Thread(target=deferred.callback, args=(1,))
thread.start()
inside.wait()
deferred.addCallback(lambda result: result)  # offending: addCallback
leave.set()
thread.join()
