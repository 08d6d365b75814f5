"""Servers that ``ftsan env`` has switched on: what the application does is named, and they end as ever."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ftsan.env import gil_state, is_free_threaded_build

from tests.conftest import PLAIN
from tests.interop.conftest import free_port, needs, readable_by_all

APPLICATION = Path(__file__).with_name("served_app.py")
REQUESTS, CLIENTS = 40, 4

#: A server's module, its words, the application, and how its threads are called.
GUNICORN = ("gunicorn", "--worker-class gthread --threads 4 --workers 2 --bind 127.0.0.1:{port}", "wsgi", "ThreadPoolExecutor-")
SERVERS = [
    GUNICORN,
    ("hypercorn", "--workers 2 --bind 127.0.0.1:{port}", "asgi", "asyncio_"),
    ("granian", "--interface asgi --loop asyncio --workers 2 --host 127.0.0.1 --port {port}", "asgi", "asyncio_"),
    (
        "granian",
        "--interface wsgi --workers 2 --blocking-threads 4 --host 127.0.0.1 --port {port}",
        "wsgi",
        "native |tokio-rt-worker",
    ),
]


def lines(mark: str) -> set[int]:
    """Lines of the application that end in the mark."""
    return {number for number, line in enumerate(APPLICATION.read_text().splitlines(), 1) if line.endswith(f"# {mark}")}


def ask(port: int, times: int, path: str = "/") -> list[int]:
    """Statuses of so many requests on one connection; 0 for none."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    statuses = []
    try:
        for _ in range(times):
            connection.request("GET", path)
            response = connection.getresponse()
            response.read()
            statuses.append(response.status)
    except OSError:
        statuses.append(0)
    finally:
        connection.close()
    return statuses


def load(port: int) -> set[int]:
    """Statuses of many requests at once."""
    statuses: list[int] = []
    clients = [threading.Thread(target=lambda: statuses.extend(ask(port, REQUESTS))) for _ in range(CLIENTS)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    return set(statuses)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that other users may read, unlike those of pytest."""
    with tempfile.TemporaryDirectory(prefix="ftsan-servers-") as name:
        Path(name).chmod(0o755)
        shutil.copy(APPLICATION, name)
        (Path(name) / "reports").mkdir()
        yield Path(name)


class Served:
    """How a server ended, what it said, and its one report."""

    def __init__(self, folder: Path, server: tuple[str, str, str, str], *more: str) -> None:
        module, words, application, _ = server
        port = free_port()
        printed = subprocess.check_output(
            [sys.executable, "-m", "ftsan", "env", "shell", "--reports", folder / "reports"], text=True, env=PLAIN
        )
        command = [sys.executable, "-m", module, *words.format(port=port).split(), *more, f"served_app:{application}"]
        log = folder / "log"
        with log.open("w") as out:
            script = ["sh", "-c", f'{printed}exec "$@"', "sh", *command]
            process = subprocess.Popen(readable_by_all(script, folder), stdout=out, stderr=out, env=PLAIN, cwd=folder)
            try:
                end = time.monotonic() + 60
                while ask(port, 1, "/ready") != [200]:
                    assert process.poll() is None and time.monotonic() < end, log.read_text()
                    time.sleep(0.05)
                self.statuses = load(port)
                process.send_signal(signal.SIGTERM)
                self.status = process.wait(timeout=60)
            finally:
                if process.poll() is None:
                    process.kill()
                    process.wait()
        self.log = log.read_text()
        self.reports: list[dict[str, Any]] = [json.loads(path.read_text()) for path in (folder / "reports").glob("ftsan-*.json")]


def places(report: dict[str, Any]) -> set[tuple[str, int]]:
    """Rules and lines of what a report has found in the application."""
    offending = [(finding["rule"], finding["accesses"][0]["stack"][0]) for finding in report["findings"]]
    return {(rule, frame["line"]) for rule, frame in offending if frame["file"].endswith("/served_app.py")}


PLANTED = {("FT401", line) for line in lines("lost")} | {("FT101", line) for line in lines("misuse")}


@pytest.mark.parametrize("server", SERVERS, ids=lambda server: f"{server[0]}-{server[2]}")
def test_what_an_application_does_is_named_and_the_server_ends_as_ever(server: tuple[str, str, str, str], folder: Path) -> None:
    needs(server[0])
    if server[0] == "granian" and is_free_threaded_build() and sys._is_gil_enabled():
        pytest.skip("granian refuses to run where the GIL is on that could be off")
    served = Served(folder, server)
    assert (served.statuses, served.status) == ({200}, 66), served.log
    (report,) = served.reports
    assert places(report) == PLANTED, served.log
    assert len(report["findings"]) == len(PLANTED), served.log
    assert (report["gil"], report["watched"]["off"]) == (gil_state(), [])
    names = {finding["accesses"][0]["thread"]["name"] for finding in report["findings"]}
    assert {name.startswith(tuple(server[3].split("|"))) for name in names} == {True}, names
    assert "Traceback" not in served.log and "Segmentation fault" not in served.log


@pytest.mark.skipif(os.getuid() != 0, reason="needs root")
@pytest.mark.parametrize("is_writable", [True, False])
def test_workers_that_gave_up_their_privileges_hide_nothing(is_writable: bool, folder: Path) -> None:
    needs("gunicorn")
    (folder / "reports").chmod(0o777 if is_writable else 0o755)
    served = Served(folder, GUNICORN, "--user", "nobody", "--group", "nogroup")
    assert (served.statuses, served.status) == ({200}, 66), served.log
    (report,) = served.reports
    if is_writable:
        assert places(report) == PLANTED
    else:
        assert places(report) == PLANTED or "could not be written to the report" in served.log, served.log
    assert all(rule in served.log for rule, _ in PLANTED)
