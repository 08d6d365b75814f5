"""Extension modules that declare it: by a slot, by a call in their initialisation, and in several threads at once.

OPTIONS: --require-gil-disabled
"""

import importlib
import threading

MODULES = ("_testsinglephase", "_testmultiphase", "_ssl", "_zoneinfo", "_sqlite3", "_ctypes")

threads = [threading.Thread(target=importlib.import_module, args=(name,)) for name in MODULES]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
