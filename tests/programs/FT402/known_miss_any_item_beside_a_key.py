"""Any item is taken from a dictionary or a set after a look whether there is one, and another thread takes one by its key.

Found if that one comes first: taking any item hands over what is known of it, as of a token, to whoever then takes one by its key.
"""

from ftsan.testing import in_turns

jobs = {2: "b", 1: "a"}
tags = {1, 2}


def take() -> None:
    if jobs:  # maybe: jobs
        jobs.popitem()  # race: jobs
    if tags:  # maybe: tags
        tags.pop()  # race: tags


def drop(number: int) -> None:
    if number in jobs:
        del jobs[number]  # noqa: RUF051  # race: jobs
    if number in tags:
        tags.remove(number)  # race: tags


in_turns(take, lambda: drop(2))
