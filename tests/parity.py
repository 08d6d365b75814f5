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

from tests.conftest import PLAIN

SUITE = ["-m", "test", "-v", "test_asyncio"]


def outcomes(command: list[str]) -> tuple[dict[str, str], str]:
    """Test -> outcome, and everything that was printed."""
    done = subprocess.run(
        command, env=PLAIN, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", check=False
    )
    # A report may come between a test's name and its outcome.
    text = re.sub(r"={18}\nERROR: ftsan.*?={18}\n", "", done.stdout, flags=re.S)
    found = re.findall(r"^(test\w+ \([\w.]+\)).*?\.\.\. (ok|FAIL|ERROR|skipped|expected failure)", text, re.M | re.S)
    return dict(found), done.stdout


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
