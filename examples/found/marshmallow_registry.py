"""marshmallow 4.4.0: of two schemas of one name, one gets lost if two threads define them at once.

    pip install marshmallow==4.4.0
    ftsan run --races marshmallow marshmallow_registry.py

``class_registry.register`` asks whether the name is new and, if it is, stores a list with the class: ``_registry[name] = [cls]``.
The list of the other thread is gone, and so is the error that says that ``Nested("User")`` may mean either.

WRONG: 2 of 3
AT: marshmallow/class_registry.py:register
KNOWN: refused: marshmallow-code/marshmallow#2945
"""

import threading

from marshmallow import Schema, fields
from marshmallow.exceptions import RegistryError

ROUNDS = 5000
MODULES = ("shop", "forum")

progress = [0, 0]


def define(place: int, module: str) -> None:
    for number in range(ROUNDS):
        progress[place] = number
        while progress[1 - place] < number:
            pass
        type(f"User{number}", (Schema,), {"__module__": module, "name": fields.String()})


threads = [threading.Thread(target=define, args=each) for each in enumerate(MODULES)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()


def is_ambiguous(name: str) -> bool:
    try:
        return fields.Nested(name).schema is None
    except RegistryError:
        return True


silent = sum(not is_ambiguous(f"User{number}") for number in range(ROUNDS))
print(f"{silent} of {ROUNDS} times the name of two schemas meant the one that was left")
raise SystemExit(silent > 0)
