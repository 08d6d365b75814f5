"""decimal.localcontext is a thread's own: of the module in C, and in Python, which 3.15 has where libmpdec is not installed."""

import decimal
import threading

lock = threading.Lock()
thirds: list[str] = []


def worker() -> None:
    for _ in range(20):
        with decimal.localcontext() as context:
            context.prec = 5
            context.prec += 1
            third = str(decimal.Decimal(1) / 3)
        with lock:
            thirds.append(third)


threads = [threading.Thread(target=worker) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert set(thirds) == {"0.333333"}
