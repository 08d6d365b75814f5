"""A value that is there already is written again while another thread reads it: it reads the same before and after."""

import os
import tempfile
import threading
import time


class Settings:
    mode = "plain"


settings, is_set = Settings(), threading.Event()


def read(done: str) -> None:
    is_set.wait()
    assert settings.mode == "fast"
    os.mkdir(done)


def write(done: str) -> None:
    settings.mode = "fast"
    is_set.set()
    while not os.path.exists(done):  # which nobody takes for order
        time.sleep(0.001)
    settings.mode = "fast"


with tempfile.TemporaryDirectory() as folder:
    threads = [threading.Thread(target=target, args=(f"{folder}/done",)) for target in (read, write)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
