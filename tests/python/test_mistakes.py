"""One missing lock is one finding, with all the locations that it leaves unguarded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Ftsan

PROGRAM = """\
from ftsan.testing import in_turns

class Registry:
    def __init__(self):
        self.size = 0

registry = Registry()

class Stats:
    def __init__(self):
        self.hits = self.misses = 0
        self.by_name = {"x": 0, "y": 0}
        self.nested = {"k": {"n": 0}}

    def update(self):
        self.hits += 1
        self.misses += 1
        self.by_name["x"] += 1
        self.by_name["y"] += 1
        self.nested["k"]["n"] += 1
        registry.size += 1

    def reset(self):
        self.hits -= 1
        self.misses -= 1

stats = Stats()
"""
TWICE = PROGRAM + "in_turns(stats.update, stats.update)\n"


def write(folder: Path, text: str) -> Path:
    """The program, as a file."""
    path = folder / "stats.py"
    path.write_text(text)
    return path


def names(finding: dict[str, Any]) -> list[str]:
    """What it is about, each location once."""
    return [location["what"] for location in finding["locations"]]


def test_races_of_the_same_functions_for_the_same_object_are_one_finding(ftsan: Ftsan, tmp_path: Path) -> None:
    run = ftsan(write(tmp_path, TWICE))
    stats, registry = run.findings
    assert names(stats) == ["Stats.hits", "Stats.misses", "Stats.by_name['x']", "Stats.by_name['y']", "Stats.nested['k']['n']"]
    assert names(registry) == ["Registry.size"]
    assert (stats["count"], len(stats["accesses"])) == (5, sum(location["accesses"] for location in stats["locations"]))
    assert run.stderr.count("==================") == 4, run.stderr
    assert "FT401 lost-update, the same functions again: Stats.misses at " in run.stderr
    assert "; likewise Stats.misses, Stats.by_name['x'], Stats.by_name['y'], Stats.nested['k']['n']\n" in run.stderr


def test_other_functions_are_another_finding(ftsan: Ftsan, tmp_path: Path) -> None:
    run = ftsan(write(tmp_path, PROGRAM + "in_turns(stats.reset, stats.reset)\nin_turns(stats.update, stats.reset)\n"))
    assert [names(finding) for finding in run.findings] == [["Stats.hits", "Stats.misses"]] * 2


@pytest.mark.parametrize(
    "text",
    [
        "# one\n# more\n" + TWICE,
        TWICE.replace("        self.hits += 1\n        self.misses += 1\n", "        self.misses += 1\n        self.hits += 1\n"),
        TWICE.replace("        self.hits += 1\n", "").replace('        self.by_name["x"] += 1\n', ""),
        TWICE.replace(
            "        self.hits += 1\n", "        by_name = self.by_name\n        by_name['z'] = by_name.get('z', 0) + 1\n"
        ),
    ],
    ids=["moved", "in another order", "fewer of them", "by a variable"],
)
def test_its_fingerprint_does_not_depend_on_what_was_found_of_it(ftsan: Ftsan, tmp_path: Path, text: str) -> None:
    original = [finding["fingerprint"] for finding in ftsan(write(tmp_path, TWICE)).findings]
    assert [finding["fingerprint"] for finding in ftsan(write(tmp_path, text)).findings] == original


def test_nor_on_who_came_first(ftsan: Ftsan, tmp_path: Path) -> None:
    [one] = ftsan(write(tmp_path, PROGRAM + "in_turns(stats.update, stats.reset)\n")).findings
    [other] = ftsan(write(tmp_path, PROGRAM + "in_turns(stats.reset, stats.update)\n")).findings
    assert one["fingerprint"] == other["fingerprint"]
    assert [location["fingerprint"] for location in one["locations"]] == [
        location["fingerprint"] for location in other["locations"]
    ]


def test_a_location_that_is_accepted_hides_no_other_one(ftsan: Ftsan, tmp_path: Path) -> None:
    accepted = TWICE.replace("self.hits += 1", "self.hits += 1  # ftsan: ignore[FT401] an estimate")
    run = ftsan(write(tmp_path, accepted))
    assert (run.status, names(run.findings[0])[0], names(run.report["accepted"][0])) == (66, "Stats.misses", ["Stats.hits"])


def test_a_baseline_knows_each_location(ftsan: Ftsan, tmp_path: Path) -> None:
    baseline = tmp_path / "baseline.toml"
    ftsan("--write-baseline", baseline, write(tmp_path, TWICE.replace("        self.misses += 1\n", "")))
    run = ftsan("--baseline", baseline, write(tmp_path, TWICE))
    assert (run.status, [names(finding) for finding in run.findings]) == (66, [["Stats.misses"]])
    assert [len(names(finding)) for finding in run.report["accepted"]] == [4, 1]
    ftsan("--write-baseline", baseline, write(tmp_path, TWICE))
    assert ftsan("--baseline", baseline, write(tmp_path, TWICE)).status == 0


def test_a_suppression_by_fingerprint_is_of_the_mistake_or_of_one_location(ftsan: Ftsan, tmp_path: Path) -> None:
    program, suppressions = write(tmp_path, TWICE), tmp_path / "suppressions.toml"
    stats = ftsan(program).findings[0]
    for fingerprint, left in [(stats["fingerprint"], 0), (stats["locations"][0]["fingerprint"], 4)]:
        suppressions.write_text(f'[[suppress]]\nrule = "FT401"\nfingerprint = "{fingerprint}"\nreason = "known"\n')
        run = ftsan("--suppressions", suppressions, program)
        assert sum(len(names(finding)) for finding in run.findings) == left + 1


SWAPS = """\
import contextlib
import io
import threading

def captures_output():
    with contextlib.redirect_stdout(io.StringIO()):
        pass

def captures_errors():
    with contextlib.redirect_stderr(io.StringIO()):
        pass

def worker():
    captures_output()
    captures_errors()

threads = [threading.Thread(target=worker) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""


def test_a_swap_is_a_mistake_of_the_functions_that_ask_for_it(ftsan: Ftsan, tmp_path: Path) -> None:
    run = ftsan(write(tmp_path, SWAPS))
    # Whichever steps of the two threads meet: one for each pair of functions, not for each pair of lines of contextlib.
    assert sorted(map(names, run.findings)) == [["sys.stderr"], ["sys.stdout"]]
    assert "2 findings" in run.stderr, run.stderr
