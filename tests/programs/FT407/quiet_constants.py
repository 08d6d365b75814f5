"""Names that nobody writes once threads run: constants, class attributes, methods, modules, functions, settings read at start."""

import json
import math
import os.path
import string
import sys
import threading


class Settings:
    retries = 3

    def __init__(self) -> None:
        self.paths = ["a", "b"]
        self.names = {"a": 1}

    def allowed(self, name: str) -> bool:
        return name in self.names or name in self.paths


LIMIT = 10
settings = Settings()
settings.retries = 4
sys.modules["ftsan_test_settings"] = settings  # type: ignore[assignment]


def worker() -> None:
    for number in range(20):
        assert settings.allowed("a") and number < LIMIT * settings.retries
        assert Settings.retries == 3 and settings.paths[0] == "a"
        assert math.floor(1.5) == 1 and string.digits and os.path.join("a", "b")
        assert json.loads(json.dumps({"a": [number]})) == {"a": [number]}


threads = [threading.Thread(target=worker) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
