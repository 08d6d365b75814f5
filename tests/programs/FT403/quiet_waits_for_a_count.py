"""A loop waits until so many are done, by a count, a length or a number that changes, and then goes through what they have left.

ALSO: FT407
"""

import threading

done = 0
generation = 0
lock = threading.Lock()
by_count: dict[int, list[int]] = {}
by_length: list[list[int]] = []
by_change: dict[int, list[int]] = {}


def work(number: int) -> None:
    global done, generation
    by_count[number] = [number]
    with lock:
        done += 1
    by_length.append([number])
    if number == 0:
        by_change[number] = [number]
        generation += 1


def main() -> None:
    before = generation
    for number in range(2):
        threading.Thread(target=work, args=(number,)).start()
    while done < 2:
        pass
    for numbers in by_count.values():
        numbers.append(1)
    while len(by_length) < 2:
        pass
    for numbers in by_length:
        numbers.append(1)
    while generation == before:
        pass
    for numbers in by_change.values():
        numbers.append(1)


main()
