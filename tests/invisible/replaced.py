"""New code objects made of others, and functions that are given them."""

import copy
import types


def function(a, b=2):
    def inner():
        return a.real + b.real

    return inner() + a.imag


def doubled(a, b=2):
    return function(a, b) * 2 + a.imag


def show(code):
    print(code.co_name, code.co_firstlineno, code.co_code.hex(), code.co_stacksize, len(code.co_consts))
    print([constant for constant in code.co_consts if not isinstance(constant, types.CodeType)], list(code.co_lines()))


code = function.__code__
for other in (
    code.replace(),
    code.replace(co_name="other"),
    code.__replace__(co_firstlineno=7),
    copy.replace(code, co_consts=code.co_consts),
):
    show(other)
    print(other == code, other.co_consts == code.co_consts, types.FunctionType(other, globals(), "f", (3,))(5))
nested = next(constant for constant in code.co_consts if isinstance(constant, types.CodeType))
print(any(constant is nested for constant in code.replace(co_name="other").co_consts))
bigger = code.replace(co_consts=(*code.co_consts, "more"))
print(bigger.co_consts[-1], len(bigger.co_consts) - len(code.co_consts))
doubled.__code__ = code
print(doubled(1), doubled.__code__ is function.__code__, doubled.__code__.co_name)
doubled.__code__ = code.replace(co_consts=tuple(reversed(code.co_consts)), co_code=doubled.__code__.co_code)
show(doubled.__code__)
renamed = types.FunctionType(code, {"__name__": "elsewhere"}, "renamed", (4,))
print(renamed(1), renamed.__code__ == code, renamed.__module__)
made = types.CodeType(
    code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_nlocals, code.co_stacksize, code.co_flags,
    code.co_code, code.co_consts, code.co_names, code.co_varnames, code.co_filename, code.co_name, code.co_qualname,
    code.co_firstlineno, code.co_linetable, code.co_exceptiontable, code.co_freevars, code.co_cellvars,
)  # fmt: skip
print(made == code, types.FunctionType(made, globals())(1, 2))
for wrong in ({"co_stacksize": -1}, {"co_code": "text"}, {"nothing": 1}):
    try:
        code.replace(**wrong)
    except (TypeError, ValueError) as error:
        print(error)
