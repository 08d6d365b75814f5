"""A list is asked whether there is something in it; what the next round of the loop reads first does not hang on the answer.

ALSO: FT407
"""

from ftsan.testing import Meeting, run

routes: dict[str, int] = {}
rows: list[int] = []
appended, seen, done = Meeting(), Meeting(), Meeting()


def producer() -> None:
    rows.append(1)
    appended.join(0)
    seen.join(0)
    routes["late"] = 1
    done.join(0)


def consumer() -> None:
    appended.join(1)
    found: list[int | None] = []
    for number in range(2):
        found.append(routes.get("late"))
        found.append(rows[-1] if rows else None)
        if number == 0:
            seen.join(1)
            done.join(1)
    assert found == [None, 1, 1, 1]


run(producer, consumer)
