"""A metaclass that keeps its instances by a tuple of the class and an argument."""

from typing import ClassVar

from ftsan.testing import in_turns


class Once(type):
    instances: ClassVar[dict[tuple[type, str], object]] = {}

    def __call__(cls, name: str) -> object:
        if (cls, name) not in cls.instances:  # maybe
            cls.instances[cls, name] = super().__call__(name)  # race
        return cls.instances[cls, name]


class Service(metaclass=Once):
    def __init__(self, name: str) -> None:
        self.name = name


in_turns(lambda: Service("mail"), lambda: Service("mail"))
