"""`object.__setattr__` goes round what a class says of all names, and not round a property: what that sets is each thread's own."""

import threading
from typing import Any

own = threading.local()


class Request:
    environ = property(lambda self: own.environ, lambda self, value: setattr(own, "environ", value))

    def __setattr__(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)


request, served = Request(), [0, 0]
both = threading.Barrier(2)


def serve(number: int) -> None:
    both.wait()
    for turn in range(10):
        request.environ = (number, turn)
        assert request.environ == (number, turn)
        served[number] += 1


threads = [threading.Thread(target=serve, args=(number,)) for number in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert served == [10, 10]
