"""``make parity``: CPython's own test_asyncio must give the same results with and without ftsan.

Findings in it are listed; each must be explained.  Known ones: BaseEventLoopTests.test_check_thread calls a loop from a wrong
thread on purpose, to see debug mode refuse it.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from xml.etree import ElementTree

from tests.conftest import PLAIN

SUITE = ["-m", "test", "test_asyncio"]


def outcomes(command: list[str]) -> tuple[dict[str, str], str]:
    """Test -> outcome, and everything that was printed."""
    done = subprocess.run(
        [*command, "--junit-xml", "results.xml"],
        env=PLAIN,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    results = {}
    for case in ElementTree.parse("results.xml").iter("testcase"):
        kinds = sorted(child.tag for child in case if child.tag in ("failure", "error", "skipped"))
        results[f"{case.get('classname', '')}.{case.get('name')}"] = " ".join(kinds) or "ok"
    return results, done.stdout


def main() -> int:
    """Run both; returns 0 if they agree."""
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        plain, _ = outcomes([sys.executable, *SUITE])
        watched, text = outcomes([sys.executable, "-m", "ftsan", "run", *SUITE])
    for test in sorted(plain.keys() | watched.keys()):
        if plain.get(test) != watched.get(test):
            print(f"{test}: {plain.get(test)} without, {watched.get(test)} with ftsan")
    print(f"{len(plain)} tests without, {len(watched)} with ftsan")
    print("\n".join(re.findall(r"^ftsan: .*", text, re.M)))
    return int(plain != watched or len(plain) < 2000)


if __name__ == "__main__":
    sys.exit(main())
