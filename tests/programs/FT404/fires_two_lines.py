"""Two different functions write one attribute."""

import threading


class Connection:
    def __init__(self) -> None:
        self.state = "new"

    def opened(self) -> None:
        self.state = "open"  # race

    def failed(self) -> None:
        self.state = "failed"  # race


connection = Connection()
threads = [threading.Thread(target=target) for target in (connection.opened, connection.failed)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
