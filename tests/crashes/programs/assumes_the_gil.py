"""An extension that frees what another thread reads, and does not declare that it works without the GIL.

verdict: extension-assumes-gil
racing: worker
extension: assumes_gil
env: PYTHON_GIL=0
threads: at once
"""

import threading

import assumes_gil


def worker() -> None:
    while True:
        assumes_gil.touch()


threads = [threading.Thread(target=worker, name=f"worker-{number}") for number in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
