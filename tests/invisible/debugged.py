"""Stepping with pdb, on both of its engines."""

import bdb
import io
import pdb
import sys


class Tank:
    def __init__(self):
        self.level = 0
        self.log = []

    def fill(self, amount):
        self.level += amount
        self.log.append(self.level)
        return self.log[-1]


def use():
    tank = Tank()
    for amount in (1, 2):
        tank.fill(amount)
    return [level for level in tank.log]


COMMANDS = """step
step
next
step
next
display tank.level
break Tank.fill
continue
where
longlist
longlist
p self.level, sys._getframe(0).f_lasti > 0
jump 16
next
p self.level
return
until
tbreak 24
continue
clear 1
next
p [level for level in tank.log]
step
continue
"""


class Recorder(bdb.Bdb):
    def told(self, what, frame):
        if frame.f_code.co_filename == __file__:
            print(what, frame.f_code.co_name, frame.f_lineno, frame.f_lasti)
            self.set_stepinstr()

    def user_call(self, frame, _):
        self.told("call", frame)

    def user_line(self, frame):
        self.told("line", frame)

    def user_opcode(self, frame):
        self.told("opcode", frame)

    def user_return(self, frame, _):
        self.told("return", frame)


for backend in ("settrace", "monitoring"):
    output = io.StringIO()
    debugger = pdb.Pdb(stdin=io.StringIO(COMMANDS), stdout=output, nosigint=True, readrc=False, backend=backend)
    debugger.runcall(use)
    print(output.getvalue())
    recorder = Recorder(backend=backend, skip=["bdb"])
    recorder.reset()
    recorder.runcall(use)
sys.settrace(None)
