"""A loop that is entered only if there is something to walk over: this time there is nothing yet."""

from ftsan.testing import in_turns

tested, counted, left, viewed = (dict[int, int]() for _ in range(4))
items: list[int] = []


def leave() -> None:
    if not left:  # race: left
        return
    for _ in left:
        pass


def reader() -> None:
    if tested:  # race: tested
        for _ in tested:
            pass
    if len(counted) > 0:  # race: counted
        for _ in counted:
            pass
    if viewed:  # race: viewed
        for _key, _value in viewed.items():
            pass
    if items:  # race: items
        for _ in items:
            pass
    leave()


def writer() -> None:
    tested[1] = 1  # race: tested
    counted[1] = 1  # race: counted
    left[1] = 1  # race: left
    viewed[1] = 1  # race: viewed
    items.append(1)  # race: items


in_turns(reader, writer)
