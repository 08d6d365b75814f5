"""A logging handler that takes the program's lock, and a thread that logs while it holds that lock."""

import logging
import threading

lock = threading.Lock()
lines: list[str] = []


class Handler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        with lock:
            lines.append(record.getMessage())


log = logging.getLogger("program")
log.addHandler(Handler())
log.propagate = False


def speak() -> None:
    log.warning("hello")


def flush() -> None:
    with lock:
        for handler in log.handlers:
            handler.acquire()  # offending: acquired A while holding B
            handler.release()


for work in (speak, flush):
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
