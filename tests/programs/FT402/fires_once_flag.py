"""An act that must happen once happens twice: the flag is tested and set in two steps.

Both threads write the same True, but it is no cached value: that it was False a moment ago is what the thread acts on.
"""

import threading


class Service:
    def __init__(self) -> None:
        self.started = False
        self.starts: list[str] = []

    def start(self) -> None:
        if not self.started:  # maybe
            self.started = True  # race
            self.starts.append(threading.current_thread().name)


service = Service()
threads = [threading.Thread(target=service.start) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
