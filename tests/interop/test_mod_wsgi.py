"""mod_wsgi in Apache, switched on by what ``ftsan env apache`` prints, with the GIL and without.

Needs Apache with its headers (Debian: apache2-bin, apache2-dev), ``pip install mod_wsgi`` and a Python with a shared library, which
``tools/find-python`` builds.
"""

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
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import PLAIN, needs_gil_off
from tests.interop.conftest import free_port, missing, readable_by_all

EXPRESS = Path(sys.executable).with_name("mod_wsgi-express")
APPLICATION = Path(__file__).with_name("mod_wsgi_app.py")
REQUESTS, CLIENTS, PROCESSES = 300, 6, 2


@pytest.fixture(autouse=True)
def needs_apache() -> None:
    """``make .venv/tools`` builds mod_wsgi where Apache's headers are."""
    if not (shutil.which("apache2") or shutil.which("httpd")):
        missing("Apache (apt-get install apache2-bin apache2-dev)")
    if not EXPRESS.exists():
        missing("mod_wsgi (apt-get install apache2-bin apache2-dev, then pip install -r tests/apache_requirements.txt)")


def wait_for(condition: Callable[[], bool], what: str) -> None:
    """Wait for a process of Apache's, which tells nobody."""
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.05)


def answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def load(port: int) -> list[int]:
    """Statuses of many requests at once."""
    statuses: list[int] = []

    def client() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        for _ in range(REQUESTS):
            connection.request("GET", "/")
            response = connection.getresponse()
            response.read()
            statuses.append(response.status)
        connection.close()

    clients = [threading.Thread(target=client) for _ in range(CLIENTS)]
    for thread in clients:
        thread.start()
    for thread in clients:
        thread.join()
    return statuses


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that Apache's user may read, unlike those of pytest."""
    with tempfile.TemporaryDirectory(prefix="ftsan-mod-wsgi-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


def set_up(folder: Path, port: int, without_gil: bool, *options: str) -> Path:
    """A server of mod_wsgi-express whose reports go to a folder; returns its root."""
    (folder / "reports").mkdir()
    (folder / "reports").chmod(0o777)
    command = [sys.executable, "-m", "ftsan", "env", "apache", "--reports", str(folder / "reports")]
    printed = subprocess.run(command, capture_output=True, text=True, env=PLAIN, check=True)
    variables, server = folder / "envvars", folder / "server"
    variables.write_text(printed.stdout)
    application = shutil.copy(APPLICATION, folder)
    words = [EXPRESS, "setup-server", application, "--server-root", server, "--port", port, "--envvars-script", variables]
    words += ["--processes", PROCESSES, "--threads", 4]
    words += [] if os.getuid() else ["--user", "www-data", "--group", "www-data"]
    words += [*options, *(["--free-threading"] if without_gil else [])]
    subprocess.run(list(map(str, words)), check=True, capture_output=True, env=PLAIN)
    return server


@pytest.mark.parametrize("without_gil", [pytest.param(True, marks=needs_gil_off), False])
def test_each_process_reports_what_the_application_does(folder: Path, without_gil: bool) -> None:
    port = free_port()
    server = set_up(folder, port, without_gil)
    reports, pid_file = folder / "reports", server / "httpd.pid"
    subprocess.run(readable_by_all([str(server / "apachectl"), "start"], folder), check=True, env=PLAIN)
    try:
        wait_for(lambda: answers(port), "Apache does not answer")
        assert set(load(port)) == {200}
        os.kill(int(pid_file.read_text()), signal.SIGUSR1)  # a graceful restart
        wait_for(lambda: len(list(reports.glob("*.json"))) == 2 * PROCESSES and answers(port), "no processes after a restart")
        assert set(load(port)) == {200}
    finally:
        os.kill(int(pid_file.read_text()), signal.SIGTERM)
    wait_for(lambda: not pid_file.exists(), "Apache does not stop")
    written = [json.loads(path.read_text()) for path in reports.glob("ftsan-*.json")]
    log = (server / "error_log").read_text()
    assert len(written) == 2 * PROCESSES, log
    assert {report["gil"] for report in written} == {"disabled" if without_gil else "enabled"}
    assert [report["watched"]["off"] for report in written] == [[]] * len(written)
    found = [finding for report in written for finding in report["findings"]]
    assert {(finding["rule"], finding["accesses"][0]["stack"][0]["line"]) for finding in found} == {("FT401", 11)}, log
    assert "Segmentation fault" not in log and "exit signal" not in log
