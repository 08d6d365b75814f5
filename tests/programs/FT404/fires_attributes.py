"""Two threads that write different values to one attribute: of an instance, a slot, a class, a module."""

import threading

import a_module_of_settings as settings


class Job:
    status = ""
    owner = ""


class Point:
    __slots__ = ("x",)


job, point = Job(), Point()


def worker(name: str) -> None:
    job.status = name  # race: instance
    point.x = name  # race: slot
    Job.owner = name  # race: class
    settings.mode = name  # race: module


threads = [threading.Thread(target=worker, args=(name,)) for name in "ab"]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
