"""The condition of a loop is no value that another variable says is there: configurations are replaced until somebody says stop.

ALSO: FT407
"""

import threading
import time


class Config:
    def __init__(self, number: int) -> None:
        self.number = number
        self.routes = {"a": number}


class Server:
    def __init__(self) -> None:
        self.config: Config | None = None
        self.is_stopped = False


server = Server()


def reloads() -> None:
    for number in range(5):
        server.config = Config(number)
        time.sleep(0.002)
    server.is_stopped = True


def serves() -> None:
    while not server.is_stopped:
        config = server.config
        if config is not None:
            assert config.routes["a"] == config.number
        time.sleep(0.001)


threads = [threading.Thread(target=target) for target in (reloads, serves)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
