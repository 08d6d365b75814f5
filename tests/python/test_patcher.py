"""Patched code objects: nothing but probes is added, and they run as before."""

from __future__ import annotations

import dis
import os
import sys
import sysconfig
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import CodeType
from typing import Any, NamedTuple

import ftsan._native
import pytest

LIBRARY = Path(sysconfig.get_path("stdlib"))
#: All files: FTSAN_TEST_PATCHER=1.
SHARE = 1 if os.environ.get("FTSAN_TEST_PATCHER") else 12
EXTENDED_ARG = dis.opmap["EXTENDED_ARG"]


class Site:
    """Takes ``del site[object]``."""

    def __init__(self, code: CodeType, point: ftsan._native.Point) -> None:
        self.code = code
        self.point = point
        self.seen: list[object] = []

    def __delitem__(self, seen: object) -> None:
        self.seen.append(seen)


class Inert:
    """One for all."""

    def __delitem__(self, seen: object) -> None:
        pass


INERT = Inert()


def test_every_instruction_of_this_interpreter_has_a_row_or_an_excuse() -> None:
    assert ftsan._native.unknown_opcodes() == []


class Instruction(NamedTuple):
    start: int
    unit: int
    opcode: int
    argument: int
    target: int | None


def instructions(code: CodeType) -> Iterator[Instruction]:
    """In code units; without prefixes and caches."""
    start = argument = 0
    text = code.co_code
    unit = 0
    while unit < len(text) // 2:
        opcode, argument = text[2 * unit], argument << 8 | text[2 * unit + 1]
        if opcode == EXTENDED_ARG:
            unit += 1
            continue
        end = unit + 1 + CACHES[opcode]
        target = None if opcode not in JUMPS else end - argument if opcode in BACKWARD else end + argument
        yield Instruction(start, unit, opcode, argument, target)
        start = unit = end
        argument = 0


CACHES = [dis._inline_cache_entries.get(name, 0) for name in dis.opname]  # type: ignore[attr-defined]
JUMPS = frozenset(dis.hasjump)
BACKWARD = frozenset(number for name, number in dis.opmap.items() if "BACKWARD" in name or name == "END_ASYNC_FOR")


def is_probe(code: CodeType, instruction: Instruction, constants: int) -> bool:
    return instruction.opcode == dis.opmap["LOAD_CONST"] and instruction.argument >= constants


def compare(original: CodeType, patched: CodeType, units: list[int]) -> None:
    """The same instructions, positions, targets and exception ranges, and probes."""
    old, new = list(instructions(original)), list(instructions(patched))
    places = {instruction.start: index for index, instruction in enumerate(new)} | {len(patched.co_code) // 2: len(new)}
    positions = list(original.co_positions()), list(patched.co_positions())
    constants = len(original.co_consts)
    assert patched.co_consts[:constants] == original.co_consts or any(isinstance(c, CodeType) for c in original.co_consts)
    kept = {}
    index = 0
    while index < len(new):
        instruction = new[index]
        if is_probe(patched, instruction, constants):
            assert dis.opname[new[index + 2].opcode] == "DELETE_SUBSCR"
            for part in new[index : index + 3]:
                assert positions[1][part.unit] == positions[0][units[part.unit]]
            index += 3
        else:
            kept[index] = instruction
            index += 1
    assert len(kept) == len(old)
    starts: dict[int, Instruction | None] = {}
    for before, after in zip(old, kept.values(), strict=True):
        assert (before.opcode, positions[0][before.unit]) == (after.opcode, positions[1][after.unit])
        assert units[after.unit] == before.unit
        assert before.target is not None or before.argument == after.argument
        starts[before.start] = after
    starts[len(original.co_code) // 2] = None

    def leads_to(target: int) -> Instruction | None:
        """Through the probes before it."""
        index = places[target]
        while index < len(new) and index not in kept:
            index += 1
        return kept.get(index)

    for before, after in zip(old, kept.values(), strict=True):
        if before.target is not None:
            assert after.target is not None
            assert leads_to(after.target) == starts[before.target]
            # It does not miss the probes of where it leads.
            assert not is_before(after.target, new, places, kept, units, before.target)
    ranges = zip(exception_ranges(original), exception_ranges(patched), strict=True)
    for (*old_places, old_depth), (*new_places, new_depth) in ranges:
        assert old_depth == new_depth
        assert [starts[place] for place in old_places] == [leads_to(place) for place in new_places]
        assert not is_before(new_places[0], new, places, kept, units, old_places[0])


def is_before(target: int, new: list[Instruction], places: dict[int, int], kept: Any, units: list[int], original: int) -> bool:
    """Is there, before ``target``, a probe of the instruction that it leads to?"""
    index = places[target] - 1
    return index >= 0 and index not in kept and units[new[index].unit] >= original


def exception_ranges(code: CodeType) -> list[tuple[int, int, int, int]]:
    entries = dis._parse_exception_table(code)  # type: ignore[attr-defined]
    return [(e.start // 2, e.end // 2, e.target // 2, e.depth << 1 | e.lasti) for e in entries]


def standard_library() -> list[Path]:
    files = sorted(LIBRARY.rglob("*.py"))
    return [path for path in files if not {"site-packages", "lib2to3", "bad"} & set(path.parts)][::SHARE]


def test_the_standard_library_keeps_its_instructions_positions_jumps_and_ranges() -> None:
    compared = probes = 0
    for path in standard_library():
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                code = compile(path.read_bytes(), path, "exec", dont_inherit=True)
        except SyntaxError, ValueError:
            continue
        for original, patched, units in ftsan._native.instrumented(code, lambda code, point: INERT):
            try:
                compare(original, patched, units)
            except AssertionError as error:
                raise AssertionError(f"{path}: {original.co_qualname}") from error
            compared += 1
            probes += len(patched.co_consts) - len(original.co_consts)
    assert compared > 500
    assert probes > 3000


def patched(source: str, mode: str = "exec") -> tuple[CodeType, list[Site]]:
    sites: list[Site] = []

    def make(code: CodeType, point: ftsan._native.Point) -> Site:
        sites.append(Site(code, point))
        return sites[-1]

    code = compile(source, "<patched>", mode, dont_inherit=True)
    rows = ftsan._native.instrumented(code, make)
    for row in rows:
        compare(*row)
    return rows[-1][1] if rows else code, sites


SNIPPETS = {
    "try, finally": """
        def f(d, log):
            for key in d:
                try:
                    log.append(d[key])
                    if d[key] == 2:
                        continue
                    d["missing"]
                except KeyError as error:
                    log.append(error.args)
                finally:
                    log.append("finally")
            return log
        result = f({1: 1, 2: 2, 3: 3}, [])
    """,
    "except*": """
        def f(log):
            try:
                raise ExceptionGroup("g", [KeyError(1), ValueError(2)])
            except* KeyError as group:
                log.append(group.exceptions[0].args[0])
            except* ValueError as group:
                log.append(group.exceptions[0].args[0])
            return log
        result = f([])
    """,
    "with": """
        class Manager:
            def __init__(self):
                self.log = []
            def __enter__(self):
                self.log.append("enter")
                return self
            def __exit__(self, kind, error, traceback):
                self.log.append(kind.__name__ if kind else None)
                return True
        with Manager() as one, Manager() as other:
            one.log.append(other.log[0])
            raise KeyError(one.log[0])
        result = one.log, other.log
    """,
    "generators": """
        class Tree:
            def __init__(self, value, *children):
                self.value = value
                self.children = children
            def __iter__(self):
                yield self.value
                for child in self.children:
                    yield from child
        def averages():
            total = count = 0
            while True:
                got = yield (total / count if count else None)
                total += got["value"]
                count += 1
        g = averages()
        next(g)
        result = list(Tree(1, Tree(2), Tree(3, Tree(4)))), [g.send({"value": v}) for v in (1, 3, 8)]
    """,
    "async": """
        import asyncio
        class Context:
            entered = 0
            async def __aenter__(self):
                self.entered += 1
                await asyncio.sleep(0)
                return self
            async def __aexit__(self, *error):
                self.entered -= 1
        async def ticks(n):
            for i in range(n):
                await asyncio.sleep(0)
                yield i
        async def main():
            log = []
            async with Context() as context:
                log.append(context.entered)
                async for tick in ticks(3):
                    log.append(tick)
                log.append([tick async for tick in ticks(2)])
                log.append(await asyncio.gather(*(asyncio.sleep(0, i) for i in range(3))))
            log.append(context.entered)
            try:
                async with asyncio.timeout(0.01):
                    await asyncio.sleep(10)
            except TimeoutError:
                log.append("timeout")
            return log
        result = asyncio.run(main())
    """,
    "comprehensions": """
        table = {"a": [1, 2], "b": [3]}
        result = (
            [x for key in table for x in table[key] if x in table["a"]],
            {key: len(table[key]) for key in table},
            {x % 2 for values in table.values() for x in values},
            list(x * y for x in table["a"] for y in table["b"]),
            [[cell() for cell in [lambda: x]][0] for x in range(3)],
            [locals()["x"] for x in [5]],
        )
    """,
    "match": """
        class Point:
            __match_args__ = ("x", "y")
            def __init__(self, x, y):
                self.x = x
                self.y = y
        def kind(value):
            match value:
                case Point(0, y):
                    return "on axis", y
                case Point(x=x) if x > 10:
                    return "far", x
                case {"key": [first, *rest], **others}:
                    return first, rest, others
                case [a, b] | (a, b, _):
                    return a, b
                case str() as text:
                    return text.upper()
                case _:
                    return None
        result = [kind(v) for v in (Point(0, 2), Point(11, 0), {"key": [1, 2], "z": 3}, [1, 2], (1, 2, 3), "x", 5)]
    """,
    "cells": """
        def counter():
            count = 0
            names = []
            class Inner:
                start = count
                def bump(self, by=1, *, twice=False):
                    nonlocal count
                    count += by * (2 if twice else 1)
                    names.append(__class__.__name__)
                    return count
            def clear():
                nonlocal count
                del count
            return Inner(), clear, lambda: (count, names)
        inner, clear, get = counter()
        inner.bump()
        inner.bump(2, twice=True)
        result = [get()]
        clear()
        try:
            get()
        except NameError as error:
            result.append(str(error))
    """,
    "an argument in a cell": """
        class Base:
            def __init__(self, name):
                self.name = name
        class Derived(Base):
            def __init__(self, name):
                super().__init__(name)
                self.get = lambda: self.name + name
            def __del__(self):
                return [self for _ in range(2)]
        result = Derived("x").get()
    """,
    "classes": """
        class Meta(type):
            def __new__(cls, name, bases, namespace, **more):
                made = super().__new__(cls, name, bases, namespace)
                made.more = more
                return made
        class A(metaclass=Meta, tag=1):
            table = {"k": 1}
            table["n"] = len(table)
            size = table["n"] + 1
            @property
            def double(self):
                return self.size * 2
            @double.setter
            def double(self, value):
                self.size = value // 2
            def __getattr__(self, name):
                return f"no {name}"
        class B[T](A, tag=2):
            field: T
            def method[U](self, other: U) -> U:
                return other
        b = B()
        b.double = 10
        del b.size
        result = B.more, b.size, b.other, b.method(1), B.table
    """,
    "arguments": """
        def f(a, /, b, *args, c, d=4, **kwargs):
            return a, b, args, c, d, sorted(kwargs.items())
        parts = {"list": [1, 2], "dict": {"c": 3, "e": 5}}
        result = f(*parts["list"], *parts["list"], **parts["dict"]), max(parts["list"], key=lambda x: -x), [*parts, *"ab"]
    """,
    "globals": """
        total = 0
        def add(n):
            global total
            total += n
            return total
        def drop():
            global other
            other = 1
            del other
        add(2)
        drop()
        total *= 3
        result = add(1), total, "other" in globals()
    """,
    "operators": """
        class Box:
            items = [1, 2, 3, 4]
        box = Box()
        box.items[1:3] = [9]
        del box.items[0]
        box.items += [7]
        box.items[0] += 1
        x, (y, *z) = 1, (2, 3, 4)
        x, y, z[0] = z[0], x, y
        result = box.items, box.items[:1], x, y, z, 9 in z, not box.items, box.items and z or x, 1 < len(z) < 3
    """,
    "conditions in arguments": """
        def f(d, a):
            log = []
            log.append(a if a else d.get("x", [n for n in d if d[n]]))
            log.append(d.pop("x" if a else "y", None) or d.setdefault("z", len(d)))
            while len(log) < 4 and (log or a):
                log.append(log[-1])
            assert log, d["none"]
            return log, [*d]
        result = f({"x": 1, "y": 2}, 0), f({"x": 1, "y": 2}, 3)
    """,
}


def dedent(source: str) -> str:
    return "\n".join(line[8:] for line in source.splitlines())


def run(code: CodeType) -> dict[str, Any]:
    namespace: dict[str, Any] = {"__name__": "patched"}
    exec(code, namespace)
    return namespace


@pytest.mark.parametrize("name", SNIPPETS)
def test_patched_code_runs_as_before(name: str) -> None:
    source = dedent(SNIPPETS[name])
    code, sites = patched(source)
    expected = run(compile(source, "<plain>", "exec", dont_inherit=True))["result"]
    assert run(code)["result"] == expected
    assert any(site.seen for site in sites)


def test_long_jumps_and_many_constants() -> None:
    # More sites than a byte counts, and distances of more than a byte before or only after they are patched.
    for size in (3, 20, 40, 300, 7000):
        body = "\n".join(f"        if d[{i}.5] in seen: continue\n        o.a{i % 300} = d[{i}.5]" for i in range(size))
        loop = f"    for _ in (1, 2):\n{body}\n        seen.append(d)\n    else:\n        o.end = 1\n"
        source = f"def f(o, d, seen):\n{loop}    return seen"
        code, sites = patched(source)

        class Plain:
            pass

        plain, d = Plain(), {i + 0.5: str(i) for i in range(size)}
        assert run(code)["f"](plain, d, []) == [d, d]
        assert (plain.end, plain.a1) == (1, d[(size - 2) // 300 * 300 + 1.5] if size > 301 else "1")  # type: ignore[attr-defined]
        assert len(sites) > size * 3
        assert sites[0].seen


def points(source: str) -> list[ftsan._native.Point]:
    return [site.point for site in patched(source)[1]]


def actions(source: str) -> list[tuple[str, str | None]]:
    return [(action, name) for action, _, name, *_ in points(source)]


#: What a probe finds by itself, and where: depths on the stack, 0 for nothing.
#: Since 3.15 an index lies above the iterator (``GET_ITER``, Python/bytecodes.c).
ITERATOR = 2 if sys.version_info >= (3, 15) else 1
DEPTHS = {"ReadGlobal": 0, "WriteGlobal": 0, "Import": 1, "Contains": 1, "Iterate": ITERATOR, "Truth": 1, "Update": 2} | {
    **{f"{action}Attribute": 1 for action in ("Read", "Write", "Delete")},
    **{f"{action}Item": 2 for action in ("Read", "Write", "Delete")},
    **{f"{action}Slice": 3 for action in ("Read", "Write")},
}


def test_what_is_handed_over_is_the_object() -> None:
    code, sites = patched(dedent(OBJECTS))
    namespace = run(code)
    box, d = namespace["box"], namespace["d"]
    for site in sites:
        if site.point[0] in DEPTHS:
            assert site.seen == [site] * len(site.seen), site.point
            assert site.point[3] == DEPTHS[site.point[0]], site.point
    assert {site.point[0] for site in sites if site.seen} >= DEPTHS.keys()
    seen = {(site.point[0], site.point[2]): site.seen for site in sites if site.code.co_name == "f"}
    assert seen["Function", "len"] == [d]
    assert seen["Function", "heappush"] == [box.items]
    # A method's self may be missing: the callable is handed over.
    assert seen["Method", "get"][0] == dict.get
    assert [type(cell).__name__ for cell in seen["ReadCell", "c"]] == ["cell"]
    assert [type(site.seen[0]).__name__ for site in sites if site.point[0] == "Finalize"] == ["Box"]


OBJECTS = """
        import heapq
        class Box:
            def __init__(self):
                self.items = [1, 2, 3]
            def __del__(self):
                pass
        g = 0
        def f(box, d):
            global g
            g = g + 1
            box.items
            box.n = 1
            del box.n
            d["k"]
            d["l"] = 1
            del d["l"]
            "k" in d
            for _ in d: pass
            if d: pass
            box_items, n = box_alias, 1
            box_items[0:n]
            box_items[0:n] = [1]
            box_items += [1]
            len(d)
            heapq.heappush(box_items, 5)
            d.get("k")
            c = 1
            def inner():
                nonlocal c
                c = 2
            inner()
            c
        box = Box()
        box_alias = box.items
        d = {"k": 1}
        f(box, d)
        Box()
        """


def test_no_probes_where_they_would_cost_more_than_they_find() -> None:
    assert actions("import x\nx.f(x.__name__)") == [("Import", None)]
    assert actions("def f(o): o.method(o)\n") == []
    assert actions("x = 1\ndef f(): return x\n") == []
    assert actions("def f():\n  c = 1\n  def g(): return c\n  return g") == []
    # A loop may wait for it: `wait_for(lambda: results)`.
    assert actions("def f():\n  c = 1\n  return lambda: c") == [("Await", None)]
    assert actions("def __init__(self, a):\n  self.a = a\n  self.b = 1\n  print(self)\n  self.c = 1\n") == [("WriteAttribute", "c")]
    assert actions("def __init__(self, o):\n  o.a = self\n  self.b = 1\n") == [("WriteAttribute", "a"), ("WriteAttribute", "b")]
    assert actions("def f(n):\n  n += 1\n  n *= 2\n") == [("Update", None)]
    # Whether it is empty matters where something is done with it.
    assert actions("def f(l): return l or 0\n") == []
    assert actions("def f(l): return l and l.pop()\n") == [("Truth", None), ("Method", "pop")]


def what_is_tested(source: str) -> list[bool]:
    return [is_tested for *_, is_tested in points(source)]


def test_what_decides_a_jump_is_tested() -> None:
    assert what_is_tested("def f(o, x):\n  if o.a is None: o.a = x") == [True, False]
    assert what_is_tested("def f(o):\n  if o.a is None: o.a = 1") == [False, False], "a flag that several may set"
    assert what_is_tested("def f(o):\n  while o.a: o.b") == [True, False]
    assert what_is_tested("def f(o):\n  while o: o[0]") == [True, False]
    assert what_is_tested("def f(o, k, x):\n  if k not in o: o[k] = x") == [True, False]
    assert what_is_tested("def f(o):\n  if o.a > 5 + o.b: pass") == [True, True]
    assert what_is_tested("def f(o):\n  return o.a") == [False]
    # The item is tested, not the attribute.
    assert what_is_tested("def f(o, k):\n  if o.a[k] == 1: pass") == [False, True]
    assert what_is_tested("def f(d):\n  if len(d) > 3: pass") == [True]
    assert what_is_tested("def f(d):\n  if d.get(1) is None: pass") == [True]


def test_calls_are_recognised_by_name_wherever_their_arguments_are_computed() -> None:
    assert points("async def f(l, q): l.append(await q.get() if q else 3)")[-1][:1] == ("Method",)
    found = {point[2]: point for point in points("def f(d, x, y): return d.pop(x if y else [i for i in y], {**x})")}
    assert found["pop"][3:7] == (3, 4, 2, 0)
    found = {point[2]: point for point in points("def f(l, x): l.sort(key=x, reverse=True)")}
    # Its first argument makes it another sort than the plain one.
    assert found["sort"][3:7] == (4, 5, 3, 0)
    # Of what is imported, the bound method is looked up.
    assert points("from m import q\ndef f(x): q.put(x); q.append(x)")[0][:7:2] == ("Method", "append", 3, 0)
    # Not the arguments that have a name; nor what walks over its arguments, of which each step is seen.
    assert points("def f(x, y): return len(obj=x), sum(x), zip(x, y), map(x), l.append")[-1][0] == "ReadAttribute"
    assert [point[3] for point in points("def f(x, y): return len(x), next(x, y), setattr(x, 'a', y)")] == [1, 2, 3]


def test_a_patched_traceback_has_the_lines_of_the_original() -> None:
    code, _ = patched("def f(o):\n  x = 1\n  return o.missing\n")
    with pytest.raises(AttributeError) as caught:
        run(code)["f"](1)
    assert caught.tb.tb_lineno and caught.traceback[-1].lineno == 2
    entry = caught.traceback[-1]._rawentry
    positions = list(entry.tb_frame.f_code.co_positions())[entry.tb_lasti // 2]
    assert positions == (3, 3, 9, 18)
