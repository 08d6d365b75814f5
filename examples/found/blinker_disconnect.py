"""blinker 1.9.0: to disconnect a receiver fails while another thread connects one to a sender of its own.

    pip install blinker==1.9.0
    ftsan run --races blinker blinker_disconnect.py

``Signal._disconnect`` walks over ``self._by_sender``, into which ``connect`` puts an entry for each new sender.

WRONG: 13 of 20
AT: blinker/base.py:Signal._disconnect
KNOWN: not found in its tracker
"""

import threading
from collections import Counter

from blinker import Signal

ROUNDS = 10000
signal = Signal()
outcomes: list[str] = []


class Sender:
    pass


def connect() -> None:
    senders = [Sender() for _ in range(ROUNDS)]
    start.wait()
    for sender in senders:
        signal.connect(connect, sender=sender)


def disconnect() -> None:
    def receiver(sender: object) -> None: ...

    start.wait()
    for _ in range(ROUNDS):
        signal.connect(receiver)
        try:
            signal.disconnect(receiver)
            outcomes.append("right")
        except RuntimeError as error:
            outcomes.append(str(error))


start = threading.Barrier(2)
threads = [threading.Thread(target=connect), threading.Thread(target=disconnect)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(dict(Counter(outcomes)))
raise SystemExit(set(outcomes) != {"right"})
