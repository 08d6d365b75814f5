"""Functions that are handed to other interpreters.

OFF: sub-interpreters: what runs in them is not watched
"""

import sys
import threading
from concurrent import futures, interpreters


def add(a, b):
    return [a.real + b.real][0]


def nothing():
    return 5


def script():
    import sys

    print("script", sys.gettrace())


if __name__ != "__main__":
    print("imported again")
interpreter = interpreters.create()
print(interpreter.call(add, 1, 2), interpreter.call(nothing))
interpreter.exec("print('text')")
interpreter.exec(script)
sys.stdout.flush()
queue = interpreters.create_queue()
queue.put(add)
print(queue.get()(3, 4))
threads = [threading.Thread(target=interpreters.create().call, args=(add, 5, 6)) for _ in range(3)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
with futures.InterpreterPoolExecutor(2) as pool:
    print(list(pool.map(add, [1, 2, 3], [4, 5, 6])))
print(add(7, 8), add.__code__.co_consts)
for left in interpreters.list_all()[1:]:
    left.close()
