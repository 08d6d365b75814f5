"""A hundred races, one after the other, each for some milliseconds: ``planted.py MILLISECONDS``."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable

from ftsan.testing import Meeting

RACES = 100


class Shared:
    """Where threads meet."""


def plant(number: int) -> Callable[[object], None]:
    """A function of its own, whose line names the race."""
    scope: dict[str, Callable[[object], None]] = {}
    exec(compile(f"def act(shared):\n    shared.race_{number} += 1", f"planted_{number}.py", "exec"), globals(), scope)
    return scope["act"]


def work(acts: list[Callable[[object], None]], shared: Shared, seconds: float, meetings: list[Meeting], place: int) -> None:
    """Each race for so long, beside another thread."""
    for act, meeting in zip(acts, meetings, strict=True):
        meeting.join(place)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            act(shared)


def main() -> None:
    """Plant them."""
    shared, acts = Shared(), [plant(number) for number in range(RACES)]
    for number in range(RACES):
        setattr(shared, f"race_{number}", 0)
    arguments = acts, shared, int(sys.argv[1]) / 1000, [Meeting() for _ in range(RACES)]
    threads = [threading.Thread(target=work, args=(*arguments, place)) for place in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
