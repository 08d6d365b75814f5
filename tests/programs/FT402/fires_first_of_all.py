"""Two threads find nothing in a container, however far apart they come, and each puts the first thing there."""

from collections import deque

from ftsan.testing import in_turns


class Registry:
    def __init__(self) -> None:
        self.tables: dict[str, object] = {}
        self.handlers: list[object] = []
        self.recent: deque[object] = deque()
        self.seen: set[object] = set()
        self.merged: dict[str, object] = {}

    def by_truth(self) -> None:
        if not self.tables:  # maybe: tables
            self.tables["default"] = object()  # race: tables

    def by_length(self) -> None:
        if len(self.handlers) == 0:  # maybe: handlers
            self.handlers.extend([object(), object()])  # race: handlers

    def returns(self) -> None:
        if self.recent:  # maybe: recent
            return
        self.recent.append(object())  # race: recent

    def adds(self) -> None:
        if not self.seen:  # maybe: seen
            self.seen.add(object())  # race: seen

    def merges(self) -> None:
        if not self.merged:  # maybe: merged
            self.merged.update({"a": object()})  # race: merged


registry = Registry()
for method in (registry.by_truth, registry.by_length, registry.returns, registry.adds, registry.merges):
    in_turns(method, method)
