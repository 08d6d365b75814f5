"""The result is complete before the flag says so."""

import threading


class Job:
    def __init__(self) -> None:
        self.ready = threading.Event()
        self.result = 0


job = Job()


def work() -> None:
    job.result = 42
    job.ready.set()


thread = threading.Thread(target=work)
thread.start()
job.ready.wait()
assert job.result == 42
thread.join()
