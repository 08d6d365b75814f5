"""A function that exec makes, and code that is executed."""

import threading

source = """
total = 0
def increment():
    global total
    total += 1
"""
namespace: dict[str, object] = {}
exec(source, namespace)
table = {"m": 0}
statement = compile("table['m'] += 1", "<statement>", "exec")


def worker() -> None:
    namespace["increment"]()  # type: ignore[operator]  # race: function
    exec(statement)  # race: statement


threads = [threading.Thread(target=worker) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
