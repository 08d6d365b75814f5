"""A worker has a looping call stopped in the thread of the reactor."""

from twisted.internet import reactor, task

beat = task.LoopingCall(lambda: None)


def worker() -> None:
    reactor.callFromThread(beat.stop)


beat.start(60).addCallback(lambda _: reactor.stop())
reactor.callWhenRunning(reactor.callInThread, worker)
reactor.run()
