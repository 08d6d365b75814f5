"""A variable of the module is made by whoever finds that it is not bound yet."""

from ftsan.testing import in_turns

connection: object
table: list[int]


def connect() -> object:
    global connection
    try:
        return connection  # maybe: connection
    except NameError:
        connection = object()  # race: connection
        return connection  # maybe: connection


def rows() -> list[int]:
    global table
    try:
        table  # noqa: B018  # maybe: table
    except NameError:
        table = []  # race: table
    return table  # maybe: table


def work() -> None:
    connect()
    rows()


in_turns(work, work)
