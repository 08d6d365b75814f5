"""``make clean-root``: the wheel in a Debian that has nothing else, as root.  ``python -m tests.clean_root WHEEL``

debootstrap makes the smallest Debian there is.  Into it come the interpreter, the wheel, pytest, the README, its pages and
examples; no cargo, no compiler, and nothing of this checkout besides.  There, each command of the README and of the pages is run
and must print what stands below it.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

#: What the folder of the documentation is called in the clean root.
DOCUMENTED = "usr/src/ftsan"

#: What stands in the README without its output, and how it ends there.  Left out: what needs a network, a host or a compiler.
SHOWN = {
    "ftsan doctor": 0,
    "ftsan run --races mypkg app.py": 66,
    "pytest --ftsan": 1,
    "pytest --ftsan --ftsan-concurrent=4": 1,
    "ftsan triage crash.txt": 0,
    "ftsan triage --group crashes/": 0,
    "ftsan audit --venv .venv": 0,
    "ftsan issue r.json": 0,
    "ftsan env apache --reports DIR": 0,
    "ftsan explain FT105": 0,
}

#: Run before it, in the namespaces: makes what every container has.  ``$0``: the root; ``$1``: what to go on with.
MOUNTS = """
mount -t proc proc "$0/proc"
mount -t tmpfs tmpfs "$0/dev"
mkdir "$0/dev/shm"
for device in "null 1 3" "zero 1 5" "random 1 8" "urandom 1 9" "tty 5 0"; do
    set -- "$1" $device
    mknod -m 666 "$0/dev/$2" c $3 $4
done
eval "exec $1"
"""

#: Run in the clean root: compares what the commands print with what the pages say.
COMPARE = """
import sys, tempfile
from pathlib import Path
from docs import console
wrong = ran = 0
for page in console.pages():
    with tempfile.TemporaryDirectory() as folder:
        for command, actual in console.steps(page.read_text(), console.Session(Path(folder).resolve())):
            ran += 1
            if not console.fits(actual, command.expected):
                wrong += 1
                print(f"{page.name}: {command.line}", actual, "-- expected:", command.expected, sep="\\n")
print(f"{ran} commands of {len(console.pages())} pages, {wrong} otherwise than written")
sys.exit(wrong != 0)
"""

#: The files that the commands of ``SHOWN`` name.
FILES = {
    "mypkg/__init__.py": "class Box:\n    n = 0\n    def add(self):\n        self.n += 1\n",
    "app.py": "import threading, mypkg\nbox = mypkg.Box()\nthreads = [threading.Thread(target=box.add) for _ in range(2)]\n"
    "for thread in threads: thread.start()\nfor thread in threads: thread.join()\n",
    "test_app.py": "def test_it():\n    import app\n",
}


def libraries(interpreter: Path) -> list[str]:
    """The packages of Debian with the libraries that an interpreter and its modules are linked with."""
    modules = [
        path for path in interpreter.parents[1].glob("lib/python3*/lib-dynload/*.so") if not path.name.startswith("_tkinter")
    ]
    shown = subprocess.run(["ldd", interpreter, *modules], capture_output=True, text=True, check=True).stdout
    # By their names: dpkg knows most of them in /lib, and they are in /usr/lib.
    paths = {f"*/{Path(path).resolve().name}" for path in re.findall(r"=> (/(?:usr/)?lib/\S+)", shown)}
    owners = subprocess.run(["dpkg-query", "-S", *sorted(paths)], capture_output=True, text=True, check=True).stdout
    return sorted(set(re.findall(r"^([a-z0-9.+-]+):", owners, re.MULTILINE)))


def make(root: Path, wheel: Path, interpreter: Path) -> None:
    """Fill a folder with a Debian, the interpreter, the wheel and the documentation."""
    release = dict(line.split("=", 1) for line in Path("/etc/os-release").read_text().splitlines())["VERSION_CODENAME"]
    with_ = f"--include={','.join(libraries(interpreter))}"
    command = ["debootstrap", "--variant=minbase", with_, release, root, "http://deb.debian.org/debian"]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stdout[-2000:] + made.stderr
    shutil.copytree(interpreter.parents[1], root / interpreter.parents[1].relative_to("/"), symlinks=True)
    for name in ("docs", "examples", "tests/crashes"):
        shutil.copytree(ROOT / name, root / DOCUMENTED / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "README.md", root / DOCUMENTED)
    shutil.copytree(ROOT / "tests" / "crashes", root / "root/crashes")
    shutil.copy(next((ROOT / "tests" / "crashes").glob("*.txt")), root / "root/crash.txt")
    for name, text in FILES.items():
        (root / "root" / name).parent.mkdir(exist_ok=True)
        (root / "root" / name).write_text(text)
    (root / "root" / "target" / "dist").mkdir(parents=True)
    shutil.copy(wheel, root / "root" / "target" / "dist")
    pip = [sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check", "-d", root / "root" / "wheels", "pytest"]
    subprocess.run(pip, check=True)


def run(root: Path, script: str) -> tuple[int, str]:
    """The status and the output of a shell script in the clean root, in namespaces of its own and with an empty environment."""
    inner = ["chroot", str(root), "/usr/bin/env", "-i", "PATH=/root/.venv/bin:/usr/bin:/bin", "HOME=/root", "bash", "-c", script]
    command = ["unshare", "--mount", "--pid", "--ipc", "--fork", "--kill-child", "sh", "-euc", MOUNTS, str(root), shlex.join(inner)]
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=1800, check=False
    )
    return done.returncode, done.stdout


def commands() -> list[str]:
    """Those that the README shows without their output, and that can be run there."""
    shown = re.findall(r"^```sh\n(.*?)^```$", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    lines = [line.partition("#")[0].strip() for text in shown for line in text.splitlines()]
    missing = SHOWN.keys() - set(lines)
    assert not missing, f"not in the README: {missing}"
    return [line for line in lines if line in SHOWN]


def main(wheel: Path) -> None:
    """Make the root, and run all of it there."""
    interpreter = Path(sys.base_prefix) / "bin" / Path(sys.executable).resolve().name
    with tempfile.TemporaryDirectory(prefix="ftsan-root-") as folder:
        root = Path(folder)
        root.chmod(0o755)
        make(root, wheel, interpreter)
        status, printed = run(root, "command -v cargo || command -v cc || command -v gcc || command -v python3")
        assert status != 0, f"not clean: {printed}"
        install = "pip install -q --no-index --find-links wheels pytest && pip install -q --no-index target/dist/ftsan-*.whl"
        status, printed = run(root, f"cd && {interpreter} -m venv .venv && {install}")
        assert status == 0, printed
        ends = "".join(
            f"{line} > out 2>&1; s=$?; [ $s = {SHOWN[line]} ] || {{ echo {shlex.quote(line)}: $s; cat out; f=1; }}\n"
            for line in commands()
        )
        report = "ftsan run --report-json r.json app.py > out 2>&1; f=0\n"
        wrong, printed = run(root, f"cd; export CI= COLUMNS=100\n{report}{ends}exit $f")
        print(printed, end="")
        print(
            f"{len(commands())} commands of the README end as they should" if wrong == 0 else "commands of the README end otherwise"
        )
        status, printed = run(root, f"cd /{DOCUMENTED} && python -c {shlex.quote(COMPARE)}")
        print(printed, end="")
        sys.exit(1 if wrong or status else 0)


if __name__ == "__main__":
    if shutil.which("debootstrap") is None:
        sys.exit("debootstrap is missing (apt-get install debootstrap)")
    main(Path(sys.argv[1]).resolve())
