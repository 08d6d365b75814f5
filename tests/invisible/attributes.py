"""The attributes of code objects."""

import types
import warnings

warnings.simplefilter("ignore", DeprecationWarning)


class Counter:
    """With methods of many kinds."""

    total = 0

    def __init__(self, start: int) -> None:
        self.value = start
        self.seen: dict[str, list[int]] = {}

    def add(self, key: str, *values: int) -> int:
        """A docstring."""
        if key not in self.seen:
            self.seen[key] = []
        for value in values:
            self.value += value
            self.seen[key].append(value)
        Counter.total += 1
        try:
            return self.seen[key][-1] + self.value
        except (IndexError, KeyError) as error:
            raise ValueError(self.value) from error
        finally:
            self.seen.setdefault(key, []).clear()


def closure(value):
    def inner(other):
        nonlocal value
        value = value.real + other.real
        return [(value, item.real) for item in range(other) if item.real]

    return inner


async def coroutine(items):
    async with items.lock as lock:
        async for item in items.source:
            lock.value[item.key] = await item.value
    return {item.key: item for item in items.all}


def generator(items):
    for item in items.all:
        items.last = yield from item.parts
    match items:
        case {"key": [first, *_]}:
            yield first.value


def codes(code):
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from codes(constant)


def show(code):
    print(code.co_qualname, code.co_stacksize, code.co_code.hex())
    print([constant for constant in code.co_consts if not isinstance(constant, types.CodeType)])
    print(code.co_linetable.hex(), code.co_exceptiontable.hex(), getattr(code, "co_lnotab", b"").hex(), len(code._co_code_adaptive))
    print(list(code.co_positions()), list(code.co_lines()), list(code.co_branches()), code.__sizeof__())


main = compile("", "<string>", "exec")
show(main)
for function in (Counter.__init__, Counter.add, closure, closure(1), coroutine, generator, codes, show, lambda x: x.y[x.z]):
    for code in codes(function.__code__):
        show(code)
for name in ("co_code", "co_consts", "co_linetable", "co_exceptiontable", "co_stacksize"):
    try:
        setattr(main, name, None)
    except AttributeError as error:
        print(error)
