"""A helper thread is started when it is first needed, under a lock; a result is waited for if it is not there yet.

ALSO: FT407
"""

import threading

from ftsan.testing import in_turns


class Service:
    loop: object = None

    def __init__(self) -> None:
        self.lock = threading.Lock()

    def get(self) -> object:
        with self.lock:
            if self.loop is None:
                self.start()
            return self.loop

    def start(self) -> None:
        ready = threading.Event()

        def run() -> None:
            self.loop = object()
            ready.set()

        threading.Thread(target=run).start()
        ready.wait()


class Job(threading.Thread):
    result: object = None

    def run(self) -> None:
        self.result = object()

    def get(self) -> object:
        if self.result is None:
            self.join()
        return self.result


service, job = Service(), Job()
in_turns(service.get, service.get)
job.start()
in_turns(job.get, job.get)
