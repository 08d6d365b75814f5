"""Callbacks of sys.monitoring are told the same, wherever they are registered."""

import sys

monitoring = sys.monitoring
NAMES = [name for name in dir(monitoring.events) if not name.startswith("_") and name not in ("NO_EVENTS", "BRANCH")]
TOOL = monitoring.COVERAGE_ID
CALLS = monitoring.events.CALL | monitoring.events.C_RETURN | monitoring.events.C_RAISE


class Queue:
    def __init__(self):
        self.items = []
        self.closed = False

    def put(self, *items):
        for item in items:
            if item in self.items or self.closed:
                continue
            self.items.append(item)
        try:
            self.items.missing()
        except AttributeError:
            return len(self.items) and self.items[0]

    def drain(self):
        while self.items:
            yield self.items.pop()


def use():
    queue = Queue()
    queue.put(1, 2, 1)
    found = [item for item in queue.drain() if item]
    match queue:
        case Queue(closed=True):
            queue.closed = None
        case Queue(items=[]):
            queue.closed = found
    return queue.closed


def recorder(name, answer=None):
    def record(code, *rest):
        if code.co_filename == __file__ and code.co_name not in ("record", "show"):
            log.append((name, code.co_name, *[value if isinstance(value, int) else type(value).__name__ for value in rest]))
        return answer

    return record


def show():
    for entry in log:
        print(*entry)
    log.clear()


log: list[tuple] = []
monitoring.use_tool_id(TOOL, "test")
for name in NAMES:
    callback = recorder(name)
    event = getattr(monitoring.events, name)
    print(
        name, monitoring.register_callback(TOOL, event, callback), monitoring.register_callback(TOOL, event, callback) is callback
    )
    monitoring.set_events(TOOL, CALLS if event & CALLS else event)
    use()
    monitoring.set_events(TOOL, 0)
    show()
    print(monitoring.register_callback(TOOL, event, None) is callback)

disabling = recorder("disabled", monitoring.DISABLE)
events = monitoring.events
for event in (events.BRANCH_LEFT, events.BRANCH_RIGHT, events.LINE, events.INSTRUCTION, events.JUMP):
    monitoring.register_callback(TOOL, event, disabling)
    for function in (Queue.put, Queue.drain, use):
        monitoring.set_local_events(TOOL, function.__code__, event)
        print(monitoring.get_local_events(TOOL, function.__code__) == event)
    use()
    use()
    show()
    for function in (Queue.put, Queue.drain, use):
        monitoring.set_local_events(TOOL, function.__code__, 0)
    print(monitoring.register_callback(TOOL, event, None) is disabling)
monitoring.register_callback(TOOL, events.BRANCH, recorder("branch"))
monitoring.set_events(TOOL, events.BRANCH)
use()
monitoring.set_events(TOOL, 0)
show()

compiled = compile("class Item: pass\nfor i in (1, 2):\n    Item.x = i\n    Item.x\n", __file__, "exec")
for _ in range(2):
    exec(compiled, {"__name__": "__main__"})
    monitoring.register_callback(TOOL, events.INSTRUCTION, recorder("compiled"))
    monitoring.set_local_events(TOOL, compiled, events.INSTRUCTION)
show()
for wrong in ((TOOL, "event", None), (TOOL, 0, None), (TOOL,)):
    try:
        monitoring.register_callback(*wrong)
    except (TypeError, ValueError) as error:
        print(error)
monitoring.free_tool_id(TOOL)
