"""``--confirm``, ``--potential`` and ``--inventory``: what a race does, what no lock guards, what is shared."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.conftest import ROOT, Ftsan

FOUR_COUNTERS = ROOT / "tests" / "programs" / "FT401" / "fires_attribute.py"

#: Two threads, one after the other: by chance, or because of a lock.
REVIEWED = """\
import threading


class Stats:
    def __init__(self):
        self.lock = threading.Lock()
        self.guarded = 0
        self.bare = 0
        self.size = 1


stats = Stats()
by_name = {"a": 0}


def worker():
    with stats.lock:
        stats.guarded += stats.size
    stats.bare += 1
    by_name["a"] += 1


for _ in range(2):
    thread = threading.Thread(target=worker)
    thread.start()
    thread.join()
"""


@pytest.fixture
def reviewed(tmp_path: Path) -> Path:
    """A program."""
    path = tmp_path / "reviewed.py"
    path.write_text(REVIEWED)
    return path


def test_the_harm_is_seen_to_happen(ftsan: Ftsan) -> None:
    run = ftsan("--confirm", "--seed", "3", FOUR_COUNTERS)
    assert {finding["object"]["type"] for finding in run.findings} == {"Stats"}
    assert [finding["witnessed"] for finding in run.findings] == [True] * 4
    # Told once, however often the program was run.
    assert run.stderr.count("ERROR: ftsan: FT401") == 4
    assert run.stderr.count("), witnessed\n") == 4
    again = re.search(r"ftsan: witnessed 4 of 4; again: (.*)\n", run.stderr)
    assert again and again[1].startswith("ftsan run --confirm --seed=3 ") and again[1].endswith(str(FOUR_COUNTERS))


def test_what_does_no_harm_is_said_so(ftsan: Ftsan, tmp_path: Path) -> None:
    script = tmp_path / "rare.py"
    # The threads are kept apart, but by nothing that is an order.
    script.write_text(
        "import threading, time\n"
        "class Box: n = 0\n"
        "def worker(delay):\n    time.sleep(delay)\n    Box.n += 1\n"
        "threads = [threading.Thread(target=worker, args=(delay,)) for delay in (0, 0.5)]\n"
        "for thread in threads: thread.start()\n"
        "for thread in threads: thread.join()\n"
    )
    run = ftsan("--confirm", script)
    assert [finding["witnessed"] for finding in run.findings] == [False]
    assert "ftsan: witnessed 0 of 1; again: " in run.stderr
    assert "ftsan: --seed=5 goes on where this stopped\n" in run.stderr


def test_a_clean_program_is_not_run_again(ftsan: Ftsan) -> None:
    run = ftsan("--confirm", "-c", "print('once')")
    assert (run.status, run.stdout, run.stderr) == (0, "once\n", "")


def test_what_no_lock_guards(ftsan: Ftsan, reviewed: Path) -> None:
    assert ftsan(reviewed).findings == []
    run = ftsan("--potential", reviewed)
    titles = [finding["title"].split(":")[0] for finding in run.findings]
    assert titles == ["Stats.bare", "__main__.by_name['a']"]
    assert {finding["severity"] for finding in run.findings} == {"warning"}
    assert all("no lock keeps" in finding["title"] for finding in run.findings)


def test_the_inventory(ftsan: Ftsan, reviewed: Path, tmp_path: Path) -> None:
    inventory = tmp_path / "inventory.json"
    run = ftsan("--inventory", inventory, reviewed)
    assert run.findings == []
    document = json.loads(inventory.read_text())
    assert document["schema"] == 1
    items = {item["what"]: item for item in document["shared"]}
    # State that nobody writes once it is shared is not listed; state that no lock guards comes first.
    assert list(items) == ["Stats.bare", "__main__.by_name['a']", "Stats.guarded"]
    threads = ["Thread-1 (worker)", "Thread-2 (worker)"]
    here = {"file": str(reviewed), "function": "<module>"}
    for what, line, guard in (
        ("Stats.bare", 12, None),
        ("__main__.by_name['a']", 13, None),
        ("Stats.guarded", 12, f"the lock made at {reviewed}:6"),
    ):
        item = items[what]
        assert (item["guard"], item["threads"], item["objects"]) == (guard, threads, 1)
        (created,) = item["created"]
        assert created.pop("columns") and created == here | {"line": line}
        assert (item["reads"], item["writes"]) == (1, 1)


def test_an_inventory_that_cannot_be_written(ftsan: Ftsan, tmp_path: Path) -> None:
    run = ftsan("--inventory", tmp_path / "none" / "inventory.json", "-c", "print('never')")
    assert (run.status, run.stdout) == (2, "")
    assert "cannot write the inventory" in run.stderr
