"""`__init__` puts the object into a registry before it has set all attributes; the reader comes in between.

ALSO: FT407
"""

import os
import tempfile
import threading
import time


class Plugin:
    loaded: list[Plugin]
    name = ""

    def __init__(self, seen: str) -> None:
        Plugin.loaded.append(self)
        while not os.path.exists(seen):  # a folder, which nobody takes for order between threads
            time.sleep(0.001)
        self.name = "late"  # race


def consumer(seen: str) -> None:
    while not Plugin.loaded:
        time.sleep(0.001)
    assert Plugin.loaded[0].name == ""  # race
    os.mkdir(seen)


Plugin.loaded = []
with tempfile.TemporaryDirectory() as folder:
    seen = os.path.join(folder, "seen")
    threads = [threading.Thread(target=target, args=(seen,)) for target in (Plugin, consumer)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
