"""Which tests may be run by several threads at once, and why others may not."""

from __future__ import annotations

import inspect
from collections.abc import Iterable

import pytest

#: Fixtures that do nothing until they are used: where other fixtures use them, one thread does, before and after the body.
AT_EACH_USE = {"class_mocker", "mocker", "module_mocker", "monkeypatch", "package_mocker", "request", "session_mocker", "subtests"}

#: Fixtures that change what the process has once, or look at it, for one thread, whoever asks for them.
ALL_THE_TIME = {
    "capfd",
    "capfdbinary",
    "caplog",
    "capsys",
    "capsysbinary",
    "capteesys",
    "freezer",
    "pytester",
    "recwarn",
    "testdir",
    "tmpdir",
}


def why_not(function: object, own_names: Iterable[str], names: Iterable[str], marks: dict[str, pytest.Mark]) -> str:
    """Why a test function is not run by several threads at once; empty if it is.

    ``own_names``: fixtures that its body takes; ``names``: those that they use, too; ``marks``: its marks by name.
    """
    own = inspect.unwrap(function) if callable(function) else function
    if inspect.iscoroutinefunction(own) or inspect.isasyncgenfunction(own) or {"anyio", "asyncio", "trio"} & marks.keys():
        return "asynchronous: a loop is one thread's"
    if getattr(function, "hypothesis", None) is not None or getattr(function, "is_hypothesis_test", False):
        return "hypothesis runs it, many times"
    if "thread_unsafe" in marks:
        return "marked thread_unsafe"
    if "parallel_threads" in marks and marks["parallel_threads"].args[:1] == (1,):
        return "marked parallel_threads(1)"
    if "xfail" in marks:
        return "expected to fail"
    if fixtures := sorted(AT_EACH_USE.intersection(own_names) | ALL_THE_TIME.intersection(names)):
        return f"uses {fixtures[0]}, which is for one thread"
    return ""


def why_not_item(item: pytest.Item) -> str:
    """The same of a collected test."""
    if not isinstance(item, pytest.Function):
        return f"a {type(item).__name__}, no function"
    if item.cls is not None and issubclass(item.cls, _test_case()):
        return "unittest: setUp and self are for one thread"
    marks = {mark.name: mark for mark in reversed([*item.iter_markers()])}
    return why_not(item.obj, item._fixtureinfo.argnames, item.fixturenames, marks)


def _test_case() -> type:
    from unittest import TestCase

    return TestCase
