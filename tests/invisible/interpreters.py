"""Callbacks and threads in other interpreters, whose types are numbered otherwise.

OFF: sub-interpreters: what runs in them is not watched
"""

from concurrent import interpreters

CODE = """
import sys, threading

monitoring, seen = sys.monitoring, []
monitoring.use_tool_id(3, "tool")
for event in [monitoring.events.PY_START, monitoring.events.LINE, monitoring.events.CALL] * 100:
    monitoring.register_callback(3, event, lambda *told: seen.append(len(told)))
monitoring.set_events(3, monitoring.events.PY_START | monitoring.events.LINE)


def f(x):
    return x + 1


f(1)
monitoring.set_events(3, 0)
monitoring.free_tool_id(3)
for _ in range(20):
    thread = threading.Thread(target=f, args=(1,))
    thread.start()
    thread.join()
print(seen)
"""

for _ in range(5):
    interpreter = interpreters.create()
    interpreter.exec(CODE)
    interpreter.close()
