"""An attribute that is there as long as nobody has it is a lock: of several threads that delete it, one does.

ALSO: FT407
"""

import threading


class Box:
    def __init__(self) -> None:
        self.free = True
        self.count = 0
        self.lines: list[int] = []


box = Box()


def work() -> None:
    for number in range(50):
        while True:
            try:
                del box.free
                break
            except AttributeError:
                pass
        box.count += 1
        box.lines.append(number)
        box.lines.sort()
        box.free = True


threads = [threading.Thread(target=work) for _ in range(3)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert box.count == 150, box.count
