"""One of several states is chosen because another one was found: a text or a member of an enumeration, whoever does it first."""

import enum
import threading


class State(enum.Enum):
    NEW = 0
    RUNNING = 1


class Job:
    def __init__(self) -> None:
        self.text = self.phase = "new"
        self.state = State.NEW
        self.starts: list[str] = []

    def start_by_text(self) -> None:
        if self.text == "new":  # maybe: text
            self.text = "running"  # race: text
            self.starts.append(threading.current_thread().name)

    def start_by_one_of_two(self) -> None:
        if self.phase in ("new", "stopped"):  # maybe: one of two
            self.phase = "running"  # race: one of two
            self.starts.append(threading.current_thread().name)

    def start_by_member(self) -> None:
        if self.state is State.NEW:  # maybe: member
            self.state = State.RUNNING  # race: member
            self.starts.append(threading.current_thread().name)


job = Job()


def worker() -> None:
    job.start_by_text()
    job.start_by_one_of_two()
    job.start_by_member()


threads = [threading.Thread(target=worker) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
