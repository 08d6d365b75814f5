"""The answers of inspect and dis."""

import dis
import inspect
import sys
import traceback


class Shelf:
    def __init__(self):
        self.books = {}

    def put(self, key, *books, loud=False):
        if key not in self.books:
            self.books[key] = []
        for book in books:
            self.books[key].append(book)
        if loud:
            print(self.books[key][0].upper())
        return len(self.books[key])


def fail(shelf):
    return shelf.put("a", "b") + shelf.books["nothing"][0]


def numbers(shelf):
    for key in shelf.books:
        yield shelf.books[key]


for function in (Shelf.__init__, Shelf.put, fail, numbers):
    dis.dis(function, show_offsets=True, show_caches=True)
    dis.show_code(function)
    print(
        dis.Bytecode(function).dis(), list(dis.findlinestarts(function.__code__)), list(dis.findlabels(function.__code__.co_code))
    )
    print([tuple(instruction) for instruction in dis.get_instructions(function)])
    print(inspect.getsource(function), inspect.signature(function), inspect.getclosurevars(function))
dis.dis(Shelf.put, adaptive=False)
shelf = Shelf()
shelf.put("key", 1)
lazy = numbers(shelf)
print(next(lazy), inspect.getgeneratorstate(lazy), inspect.getgeneratorlocals(lazy).keys())
print(dis.Bytecode(numbers, current_offset=lazy.gi_frame.f_lasti).dis())
print(inspect.getframeinfo(lazy.gi_frame))
try:
    fail(shelf)
except KeyError as error:
    dis.distb(error.__traceback__.tb_next, file=sys.stdout)
    print(dis.Bytecode.from_traceback(error.__traceback__).dis())
    print(inspect.getinnerframes(error.__traceback__)[-1])
    for frame, line in traceback.walk_tb(error.__traceback__):
        print(frame.f_code.co_name, line)
