"""Something is given to a queue, a lock or a looping call from another thread while nobody waits for it."""

from twisted.internet import defer, reactor, task, threads

queue, lock, semaphore = defer.DeferredQueue(), defer.DeferredLock(), defer.DeferredSemaphore(1)


def worker() -> None:
    queue.put("x")  # offending: put
    lock.release()  # offending: release
    semaphore.acquire()  # offending: acquire


@defer.inlineCallbacks
def main() -> defer.Deferred[None]:
    yield lock.acquire()
    yield threads.deferToThread(worker)
    assert (yield queue.get()) == "x"
    reactor.stop()


reactor.callWhenRunning(main)  # owner
reactor.run()  # owner
task.LoopingCall(lambda: None)
