"""A property that takes itself off its class once the values are there, or under a lock that all readers hold.

ALSO: FT407
"""

import threading

from ftsan.testing import in_turns


class Element:
    @property
    def mass(self) -> float:
        iron.__dict__["mass"] = 55.8
        if "mass" in Element.__dict__:
            delattr(Element, "mass")
        return iron.__dict__["mass"]

    @property
    def radius(self) -> float:
        del Element.radius
        iron.radius = 1.4
        return iron.radius


def look() -> None:
    assert iron.mass == 55.8


def careful() -> None:
    with lock:
        assert iron.radius == 1.4


iron = Element()
lock = threading.Lock()
in_turns(look, look)
in_turns(careful, careful)
