"""``make bench-check`` names what got worse by more than its quartiles, and nothing else."""

from __future__ import annotations

from tests.bench.check import check, tables
from tests.conftest import ROOT

BEFORE = """\
2026-11-28: ftsan 0.1.0, load 13.9
3 rounds; ratios of CPU time to plain Python: median [quartiles]

workload          plain ms  ftsan                     asyncio debug
echo                 134.6   1.041x [1.011, 1.043]    7.584x [7.497, 7.665]
await ping-pong      255.4   1.046x [1.034, 1.048]   27.174x [27.066, 27.195]

nanoseconds that a hook adds to a call: median [quartiles]
read                0.10 [-0.03, 0.56] off      1.78 [1.78, 2.45] on

start-up of `ftsan run` on an empty program: +36.7 ms [+33.4, +46.3]
"""


def test_the_committed_figures_are_read() -> None:
    rows = {row for table in tables((ROOT / "docs" / "costs.txt").read_text()).values() for row in table}
    assert {
        "echo",
        "uvicorn request",
        "close",
        "locked by two",
        "own deltablue",
        "start-up of `ftsan run` on an empty program",
    } <= rows


def test_the_same_again_and_what_is_within_the_quartiles_is_not_worse() -> None:
    assert check(BEFORE, BEFORE) == []
    assert check(BEFORE, BEFORE.replace("1.041x [1.011, 1.043]", "1.044x [1.020, 1.060]")) == []
    assert check(BEFORE, BEFORE.replace("27.174x [27.066, 27.195]", "1.0x [0.9, 1.1]")) == [], "better"


def test_each_figure_that_is_worse_is_named() -> None:
    worse = BEFORE.replace("1.046x [1.034, 1.048]", "1.059x [1.050, 1.060]").replace("1.78 [1.78, 2.45]", "3.5 [3.1, 4.0]")
    assert check(BEFORE, worse) == [
        "worse: await ping-pong, figure 1: 1.046 [1.034, 1.048] -> 1.059 [1.05, 1.06]",
        "worse: read, figure 2: 1.78 [1.78, 2.45] -> 3.5 [3.1, 4]",
    ]
    [line] = check(BEFORE, BEFORE.replace("+36.7 ms [+33.4, +46.3]", "+60.0 ms [+55.0, +61.0]"))
    assert line == "worse: start-up of `ftsan run` on an empty program, figure 1: 36.7 [33.4, 46.3] -> 60 [55, 61]"


def test_a_table_with_other_columns_is_not_compared() -> None:
    assert check(BEFORE, BEFORE.replace("asyncio debug", "sampled")) == ["not compared: workload plain ms ftsan asyncio debug"]
