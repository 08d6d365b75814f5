"""``make bless``: writes what commands print into README and docs, the bugs that were found and golden reports; tests compare."""

from __future__ import annotations

import tempfile
from pathlib import Path

from docs import console
from tests import found, golden

if __name__ == "__main__":
    for page in console.pages():
        with tempfile.TemporaryDirectory() as folder:
            page.write_text(console.blessed(page.read_text(), console.Session(Path(folder))))
    found.PAGE.write_text(found.page())
    with tempfile.TemporaryDirectory() as scratch:
        golden.bless(Path(scratch))
