"""A list iterated by way of enumerate, zip, map, filter, reversed, any and max, while another thread removes elements."""

import threading

one, two, three, four, five, six, seven = [[1, 2, 3] for _ in range(7)]


def reader() -> None:
    for _index, _item in enumerate(one):  # race: enumerate
        pass
    for _first, _second in zip(two, "abc", strict=False):  # race: zip
        pass
    for _ in map(str, three):  # race: map
        pass
    for _ in filter(None, four):  # race: filter
        pass
    for _ in reversed(five):  # race: reversed
        pass
    any(six)  # race: any
    max(seven)  # race: max


def writer() -> None:
    del one[0]  # race: enumerate
    del two[0]  # race: zip
    del three[0]  # race: map
    del four[0]  # race: filter
    del five[0]  # race: reversed
    del six[0]  # race: any
    del seven[0]  # race: max


threads = [threading.Thread(target=target) for target in (reader, writer)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
