"""Different values written to the same place by C functions: `operator.setitem`, and `setattr` through a variable."""

import operator
import threading
from typing import Any

from ftsan.testing import in_turns


class Settings:
    mode = ""


table: dict[str, str] = {}
settings = Settings()


def worker() -> None:
    operator.setitem(table, "k", threading.current_thread().name)  # race: item
    store: Any = setattr
    store(settings, "mode", threading.current_thread().name)  # race: attribute


in_turns(worker, worker)
