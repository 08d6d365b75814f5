"""How long a list is and whether something is in a dict, while another thread changes them: atomic, and soon out of date."""

import threading

jobs, known = [1], {"a": 1}


def monitor() -> None:
    assert len(jobs) in (1, 2)  # race: len
    assert ("b" in known) in (True, False)  # race: in


def writer() -> None:
    jobs.append(2)  # race: len
    known["b"] = 2  # race: in


threads = [threading.Thread(target=target) for target in (monitor, writer)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
