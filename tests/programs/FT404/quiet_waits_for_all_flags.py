"""A loop waits until each of several threads has set its flag, and then changes what they have left.

ALSO: FT407
"""

import threading


class Worker(threading.Thread):
    is_finished = False

    def run(self) -> None:
        self.left = [1]
        self.left.sort()
        self.is_finished = True


workers = [Worker() for _ in range(2)]
for worker in workers:
    worker.start()
while not all(worker.is_finished for worker in workers):
    pass
for worker in workers:
    worker.left.sort(reverse=True)
