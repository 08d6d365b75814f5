"""``make wheel``: the package as a user gets it who has the wheel and no compiler.  ``python -m tests.wheel WHEEL``"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from email.parser import BytesParser
from pathlib import Path

EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "echo_written_from_a_thread.py"

#: Files that the package does not work without, by how their names end.
NEEDED = ("ftsan/libftsan_hooks.so", "ftsan/py.typed", "/purelib/ftsan.pth", "/purelib/ftsan.start", "/purelib/_ftsan_start.py")

#: Bytes of the wheel at most.
LARGEST = 8_000_000


def look_at(wheel: Path) -> None:
    """Compare what is in the wheel, and what it says of itself, with what is promised."""
    assert wheel.stat().st_size < LARGEST, f"{wheel.stat().st_size} bytes"
    with zipfile.ZipFile(wheel) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        missing = [needed for needed in NEEDED if not any(name.endswith(needed) for name in names)]
        assert not missing, missing
        [metadata] = [name for name in names if name.endswith(".dist-info/METADATA")]
        headers = BytesParser().parsebytes(archive.read(metadata), headersonly=True)
    assert any("Free Threading" in classifier for classifier in headers.get_all("Classifier", []))
    assert {url.partition(",")[0] for url in headers.get_all("Project-URL", [])} >= {"Repository", "Issues", "Changelog"}
    platform = wheel.stem.rpartition("-")[2]
    shown = subprocess.run([sys.executable, "-m", "auditwheel", "show", wheel], capture_output=True, text=True, check=True).stdout
    assert f'is consistent with the following platform tag: "{platform}"' in " ".join(shown.split()), shown


def use(wheel: Path) -> None:
    """Install the wheel alone, and run what the README begins with, where there is no cargo and no compiler."""
    with tempfile.TemporaryDirectory(prefix="ftsan-wheel-") as folder:
        python = Path(folder) / "venv" / "bin" / "python"
        plain = {"PATH": str(python.parent), "HOME": folder}
        base = Path(sys.base_prefix) / "bin" / Path(sys.executable).resolve().name
        subprocess.run([base, "-m", "venv", python.parents[1]], env=plain, check=True)
        subprocess.run([python, "-m", "pip", "install", "--no-index", "-q", wheel], env=plain, cwd=folder, check=True)
        for words, status, text in (
            (["--version"], 0, f"ftsan {wheel.name.split('-')[1]}"),
            (["run", str(EXAMPLE)], 66, "FT105 transport-used-off-thread"),
            (["doctor"], 0, "all is well"),
        ):
            done = subprocess.run(
                [python.parent / "ftsan", *words], env=plain, cwd=folder, capture_output=True, text=True, check=False
            )
            assert done.returncode == status and text in done.stdout + done.stderr, (words, done)


if __name__ == "__main__":
    for word in sys.argv[1:]:
        look_at(Path(word))
        use(Path(word).resolve())
        print(f"{Path(word).name}: {Path(word).stat().st_size:,} bytes; installed and used without a compiler")
