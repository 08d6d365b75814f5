"""A loop goes on as long as its state is one word, and then stores another one; the thread that stops it acts on that word only.

ALSO: FT407
"""

import enum
import threading

from ftsan.testing import wait_until

RUNNING, STOPPED = "running", "stopped"


class State(enum.Enum):
    RUNNING = 0
    STOPPING = 1
    STOPPED = 2


class Service:
    def __init__(self) -> None:
        self.text, self.named, self.state = "running", RUNNING, State.RUNNING
        self.rounds = 0

    def run(self) -> None:
        while self.text == "running":
            self.rounds += 1
        self.text = "stopped"
        while self.named == RUNNING:
            self.rounds += 1
        self.named = STOPPED
        while self.state is State.RUNNING:
            self.rounds += 1
        self.state = State.STOPPED

    def stop(self) -> None:
        if self.text == "running":
            self.text = "stopping"
        if self.named == RUNNING:
            self.named = "stopping"
        if self.state is State.RUNNING:
            self.state = State.STOPPING


service = Service()
thread = threading.Thread(target=service.run)
thread.start()
wait_until(lambda: service.rounds > 3)
service.stop()
thread.join()
