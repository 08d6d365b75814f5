"""pint 0.26.2: a conversion with a context fails if another thread makes one, too.

    pip install pint==0.26.2
    ftsan run --races pint pint_contexts.py

The active contexts are in the registry, of which an application has one.  ``to`` puts its context in front of ``_active_ctx`` and
takes away the one in front when it is done, whose it may be.

WRONG: 8 of 20
AT: pint/facets/context/objects.py:ContextChain.insert_contexts
KNOWN: not found in its tracker
"""

import threading
from collections import Counter

import pint

ROUNDS = 200
THREADS = 4

registry = pint.UnitRegistry()
WAVE = 500 * registry.nanometer
EXPECTED = WAVE.to("terahertz", "spectroscopy").magnitude
outcomes: list[str] = []
start = threading.Barrier(THREADS)


def convert() -> None:
    start.wait()
    for _ in range(ROUNDS):
        try:
            converted = WAVE.to("terahertz", "spectroscopy").magnitude
        except Exception as error:
            outcomes.append(f"{type(error).__name__}: {error}")
        else:
            outcomes.append("right" if converted == EXPECTED else "wrong")


threads = [threading.Thread(target=convert) for _ in range(THREADS)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(dict(Counter(outcomes)))
try:
    print(f"afterwards, without a context: {WAVE.to('terahertz').magnitude}")
except pint.DimensionalityError:
    print("afterwards, all is right again")
raise SystemExit(set(outcomes) != {"right"})
