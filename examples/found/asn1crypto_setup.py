"""asn1crypto 1.5.1: a structure cannot be read if another thread uses its class for the first time.

    pip install asn1crypto==1.5.1
    ftsan run --races asn1crypto asn1crypto_setup.py

``Sequence._setup`` publishes an empty table of the fields in the class (``cls._field_map = {}``) and fills it then; a thread that
is late empties that of one which reads already.

WRONG: 13 of 20
AT: asn1crypto/core.py:Sequence._setup
KNOWN: not found in its tracker
"""

import threading
from collections import Counter

from asn1crypto.core import Integer, Sequence, UTF8String

THREADS = 4
ROUNDS = 200
FIELDS = [(name, Integer if name < "m" else UTF8String) for name in "abcdefghijklmnopqrstuvwxyz"]
VALUES = {name: 1 if kind is Integer else "one" for name, kind in FIELDS}
outcomes: list[str] = []


def write(kind: type[Sequence]) -> None:
    start.wait()
    try:
        outcomes.append("right" if kind.load(kind(VALUES).dump()).native == VALUES else "wrong")
    except Exception as error:
        outcomes.append(type(error).__name__)


start = threading.Barrier(THREADS)
for number in range(ROUNDS):
    kind = type(f"Record{number}", (Sequence,), {"_fields": list(FIELDS)})
    threads = [threading.Thread(target=write, args=(kind,)) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
print(dict(Counter(outcomes)))
raise SystemExit(set(outcomes) != {"right"})
