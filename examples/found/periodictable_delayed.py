"""periodictable 2.1.0: elements have no properties for the threads that come while another one loads them.

    pip install periodictable==2.1.0
    ftsan run --races periodictable,first-party periodictable_delayed.py

The property that ``delayed_load`` makes removes itself from ``Element`` and loads the table then: a second thread finds nothing, or
removes it a second time.

WRONG: 20 of 20
AT: periodictable/core.py:delayed_load.<locals>.clearprops
KNOWN: not found in its tracker
"""

import threading
from collections import Counter

import periodictable

THREADS = 4
outcomes: list[str] = []


def look(name: str) -> None:
    start.wait()
    try:
        outcomes.append("right" if getattr(periodictable.Fe, name) is not None else "nothing")
    except AttributeError as error:
        outcomes.append(str(error))


start = threading.Barrier(THREADS)
for name in ["covalent_radius", "crystal_structure", "neutron", "xray", "K_alpha", "magnetic_ff"]:
    threads = [threading.Thread(target=look, args=(name,)) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
print(dict(Counter(outcomes)))
raise SystemExit(set(outcomes) != {"right"})
