"""Real servers, started by the fixtures: a missing one skips with a reason here and, as everything that is missing, fails in CI."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import pytest

from tests.conftest import MISSING


def missing(what: str) -> NoReturn:
    """Skip the test, which in CI makes it fail."""
    pytest.skip(f"{what} is missing")


def is_installed(name: str) -> bool:
    """Is there a module or a distribution of this name?"""
    if importlib.util.find_spec(name) is not None:
        return True
    try:
        importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def needs(*names: str) -> None:
    """Skip the test unless these modules or distributions are installed."""
    for name in names:
        if not is_installed(name):
            pytest.skip(MISSING.format(name))


def passes_through(access: dict[str, Any], path: Path, mark: str) -> bool:
    """Does the stack of this access pass through a line of the program that ends in the mark?"""
    lines = {number for number, line in enumerate(path.read_text().splitlines(), 1) if line.endswith(f"# {mark}")}
    return any(frame["file"] == str(path) and frame["line"] in lines for frame in access["stack"])


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def locked_folder() -> Path | None:
    """The folder that keeps this Python from other users than its own."""
    folders = [Path(sys.base_prefix).resolve(), *Path(sys.base_prefix).resolve().parents]
    return next((folder for folder in reversed(folders) if not folder.stat().st_mode & 0o001), None)


def readable_by_all(command: list[str], scratch: Path) -> list[str]:
    """A command that becomes another user; for root, whose files others may not read, where they may read this Python."""
    locked = locked_folder()
    if os.getuid() or locked is None:
        return command
    if subprocess.run(["unshare", "--mount", "true"], check=False).returncode:
        missing("a mount namespace, in which others may read the Python of root,")
    inside = scratch / "open" / Path(sys.base_prefix).resolve().relative_to(locked)
    script = (
        f"mkdir -p '{inside}' && chmod -R a+rx '{scratch}' && mount --bind '{Path(sys.base_prefix).resolve()}' '{inside}'"
        f" && mount --rbind '{scratch / 'open'}' '{locked}' && exec \"$@\""
    )
    return ["unshare", "--mount", "sh", "-c", script, "sh", *command]


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis of its own (Debian's package) on a free port, which writes nothing to disk; yields its URL."""
    program = shutil.which("redis-server")
    if program is None:
        missing("Redis (apt-get install redis-server)")
    port = free_port()
    settings = ["--bind", "127.0.0.1", "--port", str(port), "--save", "", "--appendonly", "no"]
    command = [program, *settings, "--dir", tmp_path_factory.mktemp("redis")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as server:
        try:
            log = []
            for line in server.stdout or ():
                log.append(line)
                if "Ready to accept connections" in line:
                    break
            else:
                pytest.fail(f"Redis did not start: {''.join(log)}")
            yield f"redis://127.0.0.1:{port}"
        finally:
            server.terminate()


@contextmanager
def postgresql_in(folder: Path) -> Iterator[dict[str, str]]:
    """A PostgreSQL of its own (Debian's package) in this folder, on a free port, not run as root; yields what its clients look for
    in the environment.  The folder may be in none that only root may enter."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not installed:
        missing("PostgreSQL (apt-get install postgresql)")
    programs = installed[-1].parent
    as_user: list[str] = []
    if os.geteuid() == 0:
        user = pwd.getpwnam("postgres")
        os.chown(folder, user.pw_uid, user.pw_gid)
        as_user = [shutil.which("runuser") or "runuser", "-u", "postgres", "--"]
    port = free_port()
    data, log = folder / "data", folder / "log"
    subprocess.run(
        [*as_user, programs / "initdb", "-D", data, "-A", "trust", "-U", "ftsan", "--no-sync"], check=True, capture_output=True
    )
    settings = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off -c max_connections=50"
    control = [*as_user, programs / "pg_ctl", "-D", data, "-l", log]
    subprocess.run([*control, "-w", "-o", settings, "start"], check=True, stdout=subprocess.DEVNULL)
    try:
        yield {"PGHOST": "127.0.0.1", "PGPORT": str(port), "PGUSER": "ftsan", "PGDATABASE": "postgres"}
    finally:
        subprocess.run([*control, "-m", "immediate", "stop"], check=False, stdout=subprocess.DEVNULL)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The DSN of a PostgreSQL of its own."""
    # Not in a folder of pytest's: each pytest that begins closes the one above to everybody but its owner.
    with tempfile.TemporaryDirectory(prefix="ftsan-postgresql-") as folder, postgresql_in(Path(folder)) as found:
        yield f"postgresql://{found['PGUSER']}@{found['PGHOST']}:{found['PGPORT']}/{found['PGDATABASE']}"
