"""Different values, but in an order: under a lock, before start, after join."""

import threading


class Job:
    status = "new"


job, lock = Job(), threading.Lock()


def worker(name: str) -> None:
    for number in range(50):
        with lock:
            job.status = f"{name}{number}"


def parent() -> None:
    job.status = "starting"
    threads = [threading.Thread(target=worker, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    job.status = "done"


thread = threading.Thread(target=parent)
thread.start()
thread.join()
job.status = "finished"
