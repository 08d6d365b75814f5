"""Dining philosophers that take the fork with the lower number first."""

import threading

SEATS = 5
forks = [threading.Lock() for _ in range(SEATS)]
meals = [0] * SEATS


def dine(seat: int) -> None:
    low, high = sorted((seat, (seat + 1) % SEATS))
    for _ in range(50):
        with forks[low], forks[high]:
            meals[seat] += 1


threads = [threading.Thread(target=dine, args=(seat,)) for seat in range(SEATS)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert meals == [50] * SEATS
