"""Output goes to a file that is passed, and not to a swapped sys.stdout.

UNSEEN: accesses
"""

import io
import threading


def work() -> None:
    buffer = io.StringIO()
    for number in range(100):
        print(number, file=buffer)
    assert buffer.getvalue().endswith("99\n")


threads = [threading.Thread(target=work) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
