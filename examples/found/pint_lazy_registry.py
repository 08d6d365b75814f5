"""pint 0.26.2: units are unknown to the threads that come while another one loads the registry of the application.

    pip install pint==0.26.2
    ftsan run --races pint pint_lazy_registry.py

``LazyRegistry`` turns itself into a ``UnitRegistry`` on first use (``self.__class__ = UnitRegistry``), and only then fills it.

WRONG: 20 of 20
AT: pint/registry.py:LazyRegistry.__getattr__
KNOWN: hgrecco/pint#2039
"""

import threading

import pint

THREADS = 4
failures: list[str] = []
start = threading.Barrier(THREADS)


def use() -> None:
    start.wait()
    try:
        pint.Quantity(1, "meter").to("inch")
    except Exception as error:
        failures.append(repr(error))


threads = [threading.Thread(target=use) for _ in range(THREADS)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(f"{len(failures)} of {THREADS} threads failed: {failures[:1]}" if failures else "all right this time")
raise SystemExit(bool(failures))
