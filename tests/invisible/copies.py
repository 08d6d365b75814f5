"""Code and functions that are copied, pickled and marshalled."""

import copy
import io
import marshal
import pickle
import subprocess
import sys
import types

import cloudpickle


class Account:
    def __init__(self, balance):
        self.balance = balance
        self.history = []

    def deposit(self, amount):
        self.history.append(amount)
        self.balance += amount
        return lambda: self.balance


def count(items):
    return {key: [item.value for item in items[key]] for key in items}, items["key"][0].value


def runs(data, expression):
    """In a process of its own, where nobody watches."""
    program = f"import pickle, types; from sys import stdin; loaded = pickle.loads(stdin.buffer.read()); print({expression})"
    child = subprocess.run([sys.executable, "-S", "-c", f"import sys; sys.path[:0] = {sys.path}; {program}"], input=data, stdout=-1)
    return child.stdout.decode()


code, item = count.__code__, types.SimpleNamespace(value=3)
print(copy.copy(count) is count, copy.deepcopy(code) is code, pickle.loads(pickle.dumps(count)) is count)
try:
    pickle.dumps(code)
except TypeError as error:
    print(error)
for value in (code, Account.__dict__["deposit"].__code__, (1, [code]), {"code": code}, {code}, frozenset([code]), slice(code, 1)):
    text = marshal.dumps(value)
    print(len(text), marshal.loads(text) == value, b"ftsan" in text)
    file = io.BytesIO()
    marshal.dump(value, file)
    print(marshal.loads(file.getvalue()) == value)
loaded = types.FunctionType(marshal.loads(marshal.dumps(code)), {})
print(loaded({"key": [item]}), loaded.__code__ == code)
print(marshal.dumps(code) == marshal.dumps(marshal.loads(marshal.dumps(code))))
restored = cloudpickle.loads(cloudpickle.dumps(count))
print(restored({"key": [item]}), restored.__code__ == code)
again = cloudpickle.loads(cloudpickle.dumps(Account))(1)
print(again.deposit(2)(), again.history)
by_value = cloudpickle.dumps(lambda item: item.value + 1)
print(b"ftsan" in by_value, runs(by_value, "loaded(types.SimpleNamespace(value=2))"))
