"""Lists iterated while another thread appends, inserts, removes, pops and extends: elements are skipped or come twice."""

import threading

appended, inserted, removed, popped, extended = [[1, 2, 3] for _ in range(5)]


def reader() -> None:
    for _ in appended:  # race: append
        pass
    for _ in inserted:  # race: insert
        pass
    for _ in removed:  # race: remove
        pass
    for _ in popped:  # race: pop
        pass
    for _ in extended:  # race: extend
        pass


def writer() -> None:
    appended.append(4)  # race: append
    inserted.insert(0, 4)  # race: insert
    removed.remove(2)  # race: remove
    popped.pop()  # race: pop
    extended.extend([4, 5])  # race: extend


threads = [threading.Thread(target=target) for target in (reader, writer)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
