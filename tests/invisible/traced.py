"""Trace functions are told the same: calls, lines, opcodes, exceptions; and jump to the same lines."""

import sys
import threading


class Basket:
    def __init__(self):
        self.items = {}
        self.size = 0

    def add(self, name):
        if name not in self.items:
            self.items[name] = 0
        self.items[name] += 1
        self.size = sum(self.items[name] for name in self.items)
        try:
            return self.items[name].missing
        except AttributeError:
            return [self.size
                    for _ in range(2)]  # fmt: skip

    def each(self):
        for name in self.items:
            yield name, self.items[name]


def use():
    basket = Basket()
    for name in ("a", "b", "a"):
        basket.add(name)
    while basket.size > 1:
        basket.size -= 1
    with threading.Lock():
        found = list(basket.each())
    return found


def trace(frame, event, argument):
    if frame.f_code.co_filename != __file__ or frame.f_code.co_name == "trace":
        return None
    frame.f_trace_opcodes = wanted[0]
    print(frame.f_code.co_name, event, frame.f_lineno, frame.f_lasti, type(argument).__name__)
    return trace


def jump(frame, event, argument):
    if frame.f_code.co_name == "jumping":
        if event == "line" and frame.f_lineno - frame.f_code.co_firstlineno == 2:
            frame.f_lineno += 2
            print("jumped", frame.f_lasti, frame.f_lineno)
        return jump
    return None


def jumping(basket):
    basket.size = 1
    basket.size = 2
    basket.items = basket.size
    return basket.size, basket.items


wanted = [False]
for wanted[0] in (False, True):
    sys.settrace(trace)
    use()
    sys.settrace(None)
    print(sys.gettrace())
threading.settrace(trace)
thread = threading.Thread(target=use)
thread.start()
thread.join()
threading.settrace(None)
threading.settrace_all_threads(trace)
print(sys.gettrace() is trace)
use()
threading.settrace_all_threads(None)
sys.settrace(jump)
print(jumping(Basket()))
sys.settrace(None)
sys.setprofile(lambda frame, event, argument: print(frame.f_code.co_name, event, frame.f_lasti, frame.f_lineno))
use()
sys.setprofile(None)
