"""Three philosophers and two seats: whoever sits has both forks sooner or later."""

import threading

seats = threading.BoundedSemaphore(2)
forks = [threading.Lock() for _ in range(3)]


def dine(place: int) -> None:
    with seats, forks[place], forks[(place + 1) % 3]:
        pass


for place in range(3):
    thread = threading.Thread(target=dine, args=(place,))
    thread.start()
    thread.join()
