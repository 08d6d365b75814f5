"""The build backend: maturin's, after the injected library was built and put into the package."""

import os
import shutil
import subprocess

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
    return _build_editable(wheel_directory, config_settings, metadata_directory)
