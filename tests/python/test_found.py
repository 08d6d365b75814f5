"""A sample of ``make found``: ftsan names the line of a bug of a package that was found with it."""

from __future__ import annotations

from dataclasses import replace

from tests.found import environment, is_named, programs


def test_a_bug_that_was_found_is_named() -> None:
    (bug,) = (found for found in programs() if found.path.stem == "blinker_disconnect")
    with environment(bug) as env:
        assert is_named(bug, env)
        assert not is_named(replace(bug, at="blinker/base.py:Signal.connected_to"), env)
