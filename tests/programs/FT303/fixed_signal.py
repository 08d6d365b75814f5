"""A worker has a child process killed in the thread of the reactor."""

import sys

from twisted.internet import protocol, reactor


class Child(protocol.ProcessProtocol):
    def connectionMade(self) -> None:
        reactor.callInThread(self.worker)

    def worker(self) -> None:
        reactor.callFromThread(self.transport.signalProcess, "KILL")

    def processEnded(self, reason: object) -> None:
        reactor.stop()


reactor.spawnProcess(Child(), sys.executable, [sys.executable, "-S", "-c", "import time; time.sleep(60)"], env={})
reactor.run()
