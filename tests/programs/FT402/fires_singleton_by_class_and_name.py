"""A metaclass that keeps its instances by a tuple of the class, an argument and a frozen set of options."""

from typing import ClassVar

from ftsan.testing import in_turns


class Once(type):
    instances: ClassVar[dict[tuple[type, str, frozenset[tuple[str, int]]], object]] = {}

    def __call__(cls, name: str, **options: int) -> object:
        key = (cls, name, frozenset(options.items()))
        if key not in cls.instances:  # maybe
            cls.instances[key] = super().__call__(name, **options)  # race
        return cls.instances[key]


class Service(metaclass=Once):
    def __init__(self, name: str, **options: int) -> None:
        self.name, self.options = name, options


in_turns(lambda: Service("mail", port=25), lambda: Service("mail", port=25))
