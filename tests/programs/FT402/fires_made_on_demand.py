"""A helper thread is started when it is first needed, and says itself that it is there: two callers may both start one."""

import threading

from ftsan.testing import in_turns


class Service:
    loop: object = None

    def get(self) -> object:
        if self.loop is None:  # race
            self.start()
        return self.loop

    def start(self) -> None:
        ready = threading.Event()

        def run() -> None:
            self.loop = object()  # race
            ready.set()

        threading.Thread(target=run).start()
        ready.wait()


service = Service()
in_turns(service.get, service.get)
