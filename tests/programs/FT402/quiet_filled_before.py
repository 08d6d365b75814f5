"""Registries that are filled at import and by decorators, and only looked up by threads; regular expressions, constants."""

import re
import threading
from collections.abc import Callable

LIMIT = 10
NAMES = {"a", "b"}
handlers: dict[str, Callable[[], str]] = {}
word = re.compile(r"\w+")


def register(function: Callable[[], str]) -> Callable[[], str]:
    if function.__name__ not in handlers:
        handlers[function.__name__] = function
    return function


@register
def index() -> str:
    return "index"


def worker() -> None:
    for number in range(50):
        if "index" in handlers and number < LIMIT:
            assert handlers["index"]() == "index"
        assert handlers.get("missing") is None
        assert len(handlers) == 1 and "c" not in NAMES
        assert [name.upper() for name in handlers] == ["INDEX"]
        assert word.match("a") and re.match(r"\d" * (number % 5 + 1), "12345")


threads = [threading.Thread(target=worker) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
