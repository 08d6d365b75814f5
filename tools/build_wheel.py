"""The build backend: maturin's, after the injected library was built and put into the package.

With the setting ``manylinux=2_28`` (``make wheel``) the wheel is one for PyPI: linked by zig against that glibc, without debug
information, which is put into ``target/debug-files``.  ``target=aarch64-unknown-linux-gnu`` makes it one for another machine.
"""

import base64
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile

from maturin import *  # noqa: F403  the hooks of PEP 517
from maturin import build_editable as _build_editable
from maturin import build_wheel as _build_wheel
from maturin import get_requires_for_build_wheel as _get_requires_for_build_wheel

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LIBRARY = "libftsan_hooks.so"


TARGET = os.environ.get("CARGO_TARGET_DIR") or os.path.join(ROOT, "target")
THIS_MACHINE = "x86_64-unknown-linux-gnu"


def _build_library(manylinux=None, triple=THIS_MACHINE):
    words = ["--release", "--locked", "--package", "ftsan-hooks"]
    if manylinux:
        words = ["zigbuild", "--target", f"{triple}.{manylinux.replace('_', '.')}", *words]
        subprocess.run(["cargo-zigbuild", *words], cwd=ROOT, check=True)
    else:
        subprocess.run(["cargo", "build", *words], cwd=ROOT, check=True)
    built = os.path.join(TARGET, triple if manylinux else "", "release", LIBRARY)
    shutil.copyfile(built, os.path.join(ROOT, "python", "ftsan", LIBRARY))


def get_requires_for_build_wheel(config_settings=None):
    """See PEP 517."""
    zig = ["cargo-zigbuild>=0.24", "ziglang>=0.17"] if "manylinux" in (config_settings or {}) else []
    return [*_get_requires_for_build_wheel(config_settings), *zig]


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    """See PEP 517."""
    manylinux = (config_settings or {}).get("manylinux")
    triple = (config_settings or {}).get("target", THIS_MACHINE)
    _build_library(manylinux, triple)
    if not manylinux:
        return _build_wheel(wheel_directory, config_settings, metadata_directory)
    # Of another machine there is no interpreter to ask: maturin knows how they are built.
    which = "" if triple == THIS_MACHINE else f" --interpreter python{sys.version_info[0]}.{sys.version_info[1]}{sys.abiflags}"
    settings = {"build-args": f"--zig --compatibility manylinux_{manylinux} --target {triple}{which}"}
    name = _build_wheel(wheel_directory, settings, metadata_directory)
    _strip(os.path.join(wheel_directory, name), triple)
    return name


def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    """See PEP 660."""
    _build_library()
    name = _build_editable(wheel_directory, config_settings, metadata_directory)
    _join_pth_files(os.path.join(wheel_directory, name))
    return name


def _join_pth_files(wheel):
    """Make one ``ftsan.pth`` of maturin's, which has the path of the sources, and ours: installed, one would replace the other."""
    with zipfile.ZipFile(wheel) as archive:
        entries = {entry.filename: archive.read(entry) for entry in archive.infolist()}
    [ours] = [name for name in entries if name.endswith(".data/purelib/ftsan.pth")]
    joined = entries["ftsan.pth"].rstrip(b"\n") + b"\n" + entries[ours]
    _rewrite(wheel, {"ftsan.pth": joined, ours: None})


def _strip(wheel, triple):
    """Take the debug information out of the libraries, into files that gdb finds by their names."""
    # As Debian calls the one for another machine.
    objcopy = shutil.which(triple.replace("-unknown", "") + "-objcopy") or "objcopy"
    folder = os.path.join(TARGET, "debug-files")
    os.makedirs(folder, exist_ok=True)
    changed = {}
    with zipfile.ZipFile(wheel) as archive, tempfile.TemporaryDirectory() as scratch:
        for name in archive.namelist():
            if name.endswith(".so"):
                library = archive.extract(name, scratch)
                debug = os.path.join(folder, os.path.basename(name) + ".debug")
                subprocess.run([objcopy, "--only-keep-debug", library, debug], check=True)
                # Functions keep their names: triage of a crash in here reads them.
                subprocess.run([objcopy, "--strip-debug", f"--add-gnu-debuglink={debug}", library], check=True)
                with open(library, "rb") as file:
                    changed[name] = file.read()
    _rewrite(wheel, changed)


def _rewrite(wheel, changed):
    """Replace entries of a wheel, or remove those whose content is ``None``; ``RECORD`` says so."""
    with zipfile.ZipFile(wheel) as archive:
        entries = {entry: archive.read(entry) for entry in archive.infolist()}
    lines = {}
    for name, content in changed.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content or b"").digest()).rstrip(b"=").decode()
        lines[name] = f"{name},sha256={digest},{len(content)}\n" if content is not None else ""
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        for entry, content in entries.items():
            if entry.filename.endswith(".dist-info/RECORD"):
                record = content.decode().splitlines(keepends=True)
                content = "".join(lines.get(line.partition(",")[0], line) for line in record).encode()
            content = changed.get(entry.filename, content)
            if content is not None:
                archive.writestr(entry, content)
