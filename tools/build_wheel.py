"""The build backend: maturin's, after the injected library was built and put into the package."""

import base64
import hashlib
import os
import shutil
import subprocess
import zipfile

from maturin import *  # noqa: F403  the hooks of PEP 517
from maturin import build_editable as _build_editable
from maturin import build_wheel as _build_wheel

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LIBRARY = "libftsan_hooks.so"


def _build_library():
    subprocess.run(["cargo", "build", "--release", "--locked", "--package", "ftsan-hooks"], cwd=ROOT, check=True)
    target = os.environ.get("CARGO_TARGET_DIR") or os.path.join(ROOT, "target")
    shutil.copyfile(os.path.join(target, "release", LIBRARY), os.path.join(ROOT, "python", "ftsan", LIBRARY))


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    """See PEP 517."""
    _build_library()
    return _build_wheel(wheel_directory, config_settings, metadata_directory)


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
    [record] = [name for name in entries if name.endswith(".dist-info/RECORD")]
    entries["ftsan.pth"] = entries["ftsan.pth"].rstrip(b"\n") + b"\n" + entries.pop(ours)
    digest = base64.urlsafe_b64encode(hashlib.sha256(entries["ftsan.pth"]).digest()).rstrip(b"=").decode()
    changed = {ours: "", "ftsan.pth": f"ftsan.pth,sha256={digest},{len(entries['ftsan.pth'])}\n"}
    lines = entries[record].decode().splitlines(keepends=True)
    entries[record] = "".join(changed.get(line.partition(",")[0], line) for line in lines).encode()
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
