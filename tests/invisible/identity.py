"""Code objects are who they were: identity, comparison and hash."""

import pathlib
import types

SOURCE = """
def outer(a):
    def inner(b):
        return a.x[b] + b.y
    return inner

class Class:
    def method(self):
        self.n += 1
        return [item.x for item in self.items], lambda: self.n
"""


def functions():
    namespace = {"__name__": "made"}
    exec(compile(SOURCE, "made.py", "exec"), namespace)
    return namespace["outer"], namespace["outer"](1), namespace["Class"].method


def outer(a):
    def inner(b):
        a.x = b.y

    return inner


one, other = functions(), functions()
for first, second in zip(one, other, strict=True):
    a, b = first.__code__, second.__code__
    print(a is b, a == b, hash(a) == hash(b), a != b, len({a, b}), {a: 1}.get(b))
print(one[0].__code__ == one[1].__code__, one[0].__code__ == "code", one[0].__code__ in [other[0].__code__])
print(any(one[1].__code__ is constant for constant in one[0].__code__.co_consts))
print(any(outer(1).__code__ is constant for constant in outer.__code__.co_consts), outer(1).__code__ is outer(2).__code__)
print(outer.__code__.co_consts is outer.__code__.co_consts)

compiled = compile(SOURCE, "made.py", "exec")
nested = [constant for constant in compiled.co_consts if isinstance(constant, types.CodeType)]
print(nested[0] == one[0].__code__, hash(nested[0]) == hash(one[0].__code__))
print(compiled == compile(SOURCE, "made.py", "exec"), compiled == compile(SOURCE + "\n1", "made.py", "exec"))
exec(compiled, {"__name__": "made"})
print(compiled == compile(SOURCE, "made.py", "exec"), compiled.co_consts == compile(SOURCE, "made.py", "exec").co_consts)

own = compile(pathlib.Path(__file__).read_text(), __file__, "exec")
mine = next(constant for constant in own.co_consts if isinstance(constant, types.CodeType) and constant.co_name == "outer")
print(mine == outer.__code__, hash(mine) == hash(outer.__code__), mine.co_consts == outer.__code__.co_consts)
print(list(mine.co_positions()) == list(outer.__code__.co_positions()), mine.co_code == outer.__code__.co_code)

again = {"__name__": "made"}
exec(compiled, again)
print(again["outer"].__code__ is nested[0], again["outer"](1).__code__ in again["outer"].__code__.co_consts)
print(any(again["outer"](1).__code__ is constant for constant in nested[0].co_consts))
renamed = outer.__code__.replace(co_name="renamed")
copied = types.FunctionType(renamed, globals())
print(copied.__code__ is renamed, types.FunctionType(renamed, globals()).__code__ is renamed, copied.__code__.co_name)
before = outer.__code__
outer.__code__ = renamed
print(outer.__code__ is renamed, outer.__code__ is copied.__code__)
outer.__code__ = before
print(outer.__code__ is before)
