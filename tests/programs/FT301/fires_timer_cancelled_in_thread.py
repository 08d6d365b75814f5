"""A delayed call of the reactor, made before it ran, is cancelled by a thread."""

import threading

from twisted.internet import reactor

timer = reactor.callLater(60, int)  # created


def worker() -> None:
    timer.cancel()  # offending: cancel
    reactor.callFromThread(reactor.stop)


reactor.callWhenRunning(threading.Thread(target=worker).start)
reactor.run()  # owner
