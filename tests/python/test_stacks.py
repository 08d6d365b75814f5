"""The callers that a report shows are those of the access, however often the same function was called from elsewhere before."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Ftsan

#: `left` and `right` have frames of one size, so that what they call lies at the same address, and `advance` of one generator.
PROGRAM = """
import threading

class Box:
    def __init__(self):
        self.value = 0

lock = threading.Lock()
guarded, racy = Box(), Box()
together = threading.Barrier(2)

def touch(box):
    box.value += 1

def advance(steps):
    next(steps)

def left(given):
    ACT(given)

def right(given):
    ACT(given)

def steps():
    with lock:
        guarded.value += 1
    while True:
        yield
        box = chosen.box
        box.value += 1

chosen = threading.local()

def work():
    own = steps()
    next(own)
    together.wait()
    for _ in range(20):
        chosen.box = guarded
        with lock:
            left(GIVEN_LEFT)
        chosen.box = racy
        right(GIVEN_RIGHT)

threads = [threading.Thread(target=work) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""

CASES = {
    "function": {"ACT": "touch", "GIVEN_LEFT": "guarded", "GIVEN_RIGHT": "racy"},
    "generator": {"ACT": "advance", "GIVEN_LEFT": "own", "GIVEN_RIGHT": "own"},
}


@pytest.mark.parametrize("words", CASES.values(), ids=CASES)
def test_callers_are_those_of_the_access(ftsan: Ftsan, tmp_path: Path, words: dict[str, str]) -> None:
    """The race is one of what `right` calls: `left` has a lock."""
    text = PROGRAM
    for word, meaning in words.items():
        text = text.replace(word, meaning)
    program = tmp_path / "program.py"
    program.write_text(text)
    run = ftsan("--races", "all", program)
    raced = [finding for finding in run.findings if finding["rule"] == "FT401"]
    assert raced and run.status == 66, run.stderr
    for finding in raced:
        for access in finding["accesses"]:
            if access["role"] in ("offending", "earlier"):
                called = {frame["function"] for frame in access["stack"]}
                assert "right" in called and "left" not in called, finding["title"]
