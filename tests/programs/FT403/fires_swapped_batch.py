"""A batch is taken by putting a new list in its place, while another thread is about to append to the old one."""

import threading

between = threading.Barrier(2)


class Buffer:
    def __init__(self) -> None:
        self.rows = ["first"]

    def add(self, row: str) -> None:
        rows = self.rows
        between.wait()
        rows.append(row)  # race

    def flush(self) -> list[str]:
        between.wait()
        batch, self.rows = self.rows, []
        return [row.upper() for row in batch]  # race


buffer = Buffer()
threads = [threading.Thread(target=buffer.add, args=("late",)), threading.Thread(target=buffer.flush)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
