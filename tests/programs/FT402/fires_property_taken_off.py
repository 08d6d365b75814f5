"""A property that takes itself off its class and loads the values then (periodictable 2.1.0): another thread finds neither.

ALSO: FT407
"""

import contextlib

from ftsan.testing import run, wait_until


class Element:
    @property
    def mass(self) -> float:
        delattr(Element, "mass")  # race: mass
        wait_until(lambda: len(looked) > 0)  # somebody comes in between
        iron.__dict__["mass"] = 55.8
        return iron.mass

    @property
    def radius(self) -> float:
        del Element.radius  # race: radius
        wait_until(lambda: len(looked) > 1)
        setattr(iron, "radius", 1.4)  # noqa: B010
        return iron.radius


def is_gone(name: str) -> bool:
    return name not in Element.__dict__


def look() -> None:
    wait_until(lambda: is_gone("mass"))
    getattr(iron, "mass", None)  # race: mass
    looked.append("mass")


def glance() -> None:
    wait_until(lambda: is_gone("radius"))
    with contextlib.suppress(AttributeError):
        iron.radius  # noqa: B018  # race: radius
    looked.append("radius")


iron = Element()
looked: list[str] = []
run(lambda: iron.mass, look)
run(lambda: iron.radius, glance)
