"""A looping call started and stopped by a thread that does not run the reactor."""

import threading

from twisted.internet import reactor, task

beat, late = task.LoopingCall(lambda: None), task.LoopingCall(lambda: None)


def worker() -> None:
    beat.stop()  # offending: stop
    late.start(60, now=False)  # offending: start
    reactor.callFromThread(reactor.stop)


def main() -> None:
    beat.start(60)
    thread = threading.Thread(target=worker)
    thread.start()  # owner
    thread.join()  # owner


reactor.callWhenRunning(main)
reactor.run()
