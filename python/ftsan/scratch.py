"""The folder of a run, for what the watched processes leave while they run: report, tally, recordings.

Its name says whose it is, so that the next run can remove what a killed one has left: number of the process, when it started,
and the namespace that the number is of, because containers share folders.  Loaded into watched processes: imports nothing that
costs.
"""

import os

PREFIX = "ftsan-run."

#: Tried after ``TMPDIR``, as ``tempfile`` does; the last one has room even if the disks are full.
FOLDERS = ("/tmp", "/var/tmp", "/dev/shm")


def _namespace() -> str:
    try:
        return os.readlink("/proc/self/ns/pid").strip("pid:[]")
    except OSError:
        return "0"


def _started(pid: int) -> str:
    """When a process started, as the kernel counts; empty if it is gone."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()[19].decode()
    except OSError, IndexError:
        return ""


def make() -> str:
    """Make a folder that only this user can look into, with a tally in it; returns its path.

    :raises OSError: there is room for it nowhere.
    """
    from . import _native

    trouble = OSError("there is no folder for temporary files")
    name = f"{PREFIX}{_namespace()}.{os.getpid()}.{_started(os.getpid())}.{os.urandom(8).hex()}"
    for folder in (os.environ.get("TMPDIR"), *FOLDERS):
        if not folder:
            continue
        path = os.path.abspath(os.path.join(folder, name))
        try:
            os.mkdir(path, 0o700)
            _native.create_tally(tally_in(path))
            return path
        except OSError as error:
            trouble = error
            remove(path)
    raise trouble


def tally_in(path: str) -> str:
    """Where the tally of a run is."""
    return os.path.join(path, "tally")


def remove(path: str) -> None:
    """Remove a folder that :func:`make` made; there are only files in it."""
    try:
        for name in os.listdir(path):
            os.unlink(os.path.join(path, name))
        os.rmdir(path)
    except OSError:
        pass  # somebody cleaned up before us


def remove_left_over(folder: str) -> None:
    """Remove what runs of this user that were killed have left in ``folder``."""
    try:
        names = os.listdir(folder)
    except OSError:
        return
    namespace = _namespace()
    for name in names:
        parts = name.removeprefix(PREFIX).split(".")
        if not name.startswith(PREFIX) or len(parts) != 4 or parts[0] != namespace or not parts[1].isdigit():
            continue
        path = os.path.join(folder, name)
        try:
            is_ours = os.lstat(path).st_uid == os.geteuid() and not os.path.islink(path)
        except OSError:
            continue
        if is_ours and _started(int(parts[1])) != parts[2]:
            remove(path)
