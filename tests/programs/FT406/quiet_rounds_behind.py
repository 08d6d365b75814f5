"""A reader goes by a flag that is rounds behind by then: what the flag said was there has been there since.

ALSO: FT407
"""

from ftsan.testing import Meeting, run


class Core:
    level = 0
    handlers: tuple[int, ...] = ()


core = Core()
seen, done = Meeting(), Meeting()


def change() -> None:
    core.level = 20
    core.handlers = (1, 2)
    seen.join(0)
    for number in range(3):
        core.level = number
        core.handlers = (number,)
    done.join(0)


def log() -> None:
    while True:
        if core.handlers:
            break
    seen.join(1)
    done.join(1)
    assert core.level == 2


run(change, log)
