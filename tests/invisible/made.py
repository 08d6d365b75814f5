"""Code that is made while the program runs."""

import abc
import collections
import contextlib
import dataclasses
import doctest
import enum
import functools
import gc
import string
import sys
import types
import typing
import unittest.mock


@dataclasses.dataclass(order=True)
class Point:
    """
    >>> Point(1, 2).shift(3)
    Point(x=4, y=2)
    >>> [Point(i, i).x for i in range(3)]
    [0, 1, 2]
    """

    x: int
    y: int = 0

    def shift(self, by: int) -> typing.Self:
        self.x += by
        return self


class Colour(enum.Enum):
    RED = 1

    @property
    def shade(self):
        return self.value + self.name.__len__()


class Shape(abc.ABC):
    @functools.cached_property
    def area(self):
        return self.width.real * 2

    @abc.abstractmethod
    def width(self): ...

    def __init_subclass__(cls, **rest):
        cls.known = [*getattr(cls, "known", []), cls.__name__]


class Square(Shape):
    width = 3


@contextlib.contextmanager
def opened(items):
    items.append(items.__len__())
    try:
        yield items[0]
    finally:
        items.clear()


def generic[T](value: T, other: T = None) -> list[T]:
    return [value.real, other]


def show(function):
    code = function.__code__
    print(function.__qualname__, code.co_qualname, len(code.co_code), code.co_filename == __file__, code.co_firstlineno)
    print([type(constant).__name__ for constant in code.co_consts], list(code.co_lines()))


for function in (
    Point.__init__,
    Point.__eq__,
    Point.__lt__,
    Point.__repr__,
    Point.shift,
    Colour.shade.fget,
    generic,
    generic.__annotate__,
):
    show(function)
show(collections.namedtuple("Pair", "a b").__new__)
namespace: dict[str, typing.Any] = {"__name__": "made_here"}
exec("def made(a): return a.x, lambda: a.x[0]", namespace)
show(namespace["made"])
show(eval("lambda a: a.x.y"))
bare: dict[str, typing.Any] = {}
exec("def bare(a): a.x = a.y", bare)
show(bare["bare"])
show(types.FunctionType(generic.__code__, namespace, "again"))
print(eval("Point(1).x + sum(item for item in [Point(2).x])"), [eval("Point(item).x") for item in (1, 2)])
print(Point(1) < Point(2), Colour.RED.shade, Square.known, generic(1), generic.__annotations__, typing.get_type_hints(generic))
with opened([]) as first:
    print(first)
with unittest.mock.patch.object(Point, "shift", autospec=True) as shifted:
    shifted.return_value = 1
    print(Point(1).shift(2))
for _ in range(3):
    locals_here = {key: value for key, value in locals().items() if key == "first"}
print(locals_here, [item for item in [1] if "item" in locals()])
print(doctest.testmod(sys.modules[__name__], optionflags=doctest.ELLIPSIS))
print(string.Template("$x").substitute(x=Point(1).x))


def count():
    gc.collect()
    return sum(isinstance(item, types.CodeType) and item.co_filename == "temporary" for item in gc.get_objects())


for number in range(50):
    exec(compile(f"def f(a): return a.x{number}, lambda: a.y", "temporary", "exec"), {"__name__": "made_here"})
for _ in range(3):
    gc.collect()
print(count())
