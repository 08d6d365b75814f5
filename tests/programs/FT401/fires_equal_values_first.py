"""Updates of which the first one changes nothing: the later ones are lost all the same."""

from ftsan.testing import in_turns


class Counter:
    total, text = 0, ""


counter, table, numbers, overall = Counter(), {"k": 0}, [0], 0


def worker() -> None:
    global overall
    for number in range(3):
        counter.total += number  # race: attribute
        counter.text += "x" * number  # race: text
        table["k"] += number  # race: item
        numbers[0] += number  # race: element
        overall += number  # race: global


in_turns(worker, worker)
