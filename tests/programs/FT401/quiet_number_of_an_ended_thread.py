"""Each thread counts under its own identifier, which one that has ended had before."""

import os
import threading

from ftsan.testing import wait_until

hits: dict[int, int] = {}
states: dict[int, dict[str, int]] = {}


def handle() -> None:
    me = threading.get_ident()
    hits[me] = hits.get(me, 0) + 1
    state = states.get(me)
    if state is None:
        state = states[me] = {"count": 0}
    state["count"] += 1


for _ in range(3):
    thread = threading.Thread(target=handle, daemon=True)
    thread.start()
    wait_until(lambda thread=thread: not os.path.exists(f"/proc/self/task/{thread.native_id}"))
