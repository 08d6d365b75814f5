"""``ftsan attach`` to uvicorn, which serves requests meanwhile."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import PLAIN
from tests.interop.conftest import free_port, needs, passes_through

APPLICATION = Path(__file__).with_name("attached_app.py")
CLIENTS = 4


class Load:
    """Clients that ask one request after the other."""

    def __init__(self, port: int) -> None:
        self.port, self.ends = port, False
        self.path = "/"
        #: When each request began, and how long it took, in seconds.
        self.times: list[tuple[float, float]] = []
        self.failures: list[BaseException] = []

    def ask(self) -> None:
        """Until it ends."""
        try:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
            while not self.ends:
                began = time.monotonic()
                connection.request("GET", self.path)
                assert connection.getresponse().read() == b"ok"
                self.times.append((began, time.monotonic() - began))
        except BaseException as failure:
            self.failures.append(failure)

    def slowest(self, begin: float, end: float) -> float:
        """The time of the slowest hundredth of the requests that began then, in milliseconds."""
        times = sorted(took for at, took in self.times if begin <= at < end)
        return times[len(times) * 99 // 100] * 1000


@contextmanager
def loaded(loop: str) -> Iterator[tuple[subprocess.Popen[bytes], Load]]:
    """A server under load, which has to have served every request."""
    port = free_port()
    options = ["--port", str(port), "--loop", loop, "--log-level", "warning", "--no-access-log"]
    command = [sys.executable, "-m", "uvicorn", f"{APPLICATION.stem}:app", "--app-dir", str(APPLICATION.parent), *options]
    load = Load(port)
    with subprocess.Popen(command, env=PLAIN) as server:
        try:
            while True:
                assert server.poll() is None
                try:
                    connection = http.client.HTTPConnection("127.0.0.1", port)
                    connection.request("GET", "/")
                    break
                except ConnectionRefusedError:
                    os.sched_yield()
            clients = [threading.Thread(target=load.ask) for _ in range(CLIENTS)]
            for client in clients:
                client.start()
            yield server, load
            load.ends = True
            for client in clients:
                client.join()
            assert load.failures == []
            assert server.poll() is None
        finally:
            load.ends = True
            server.terminate()


def attach(server: subprocess.Popen[bytes], *options: str | Path) -> subprocess.CompletedProcess[str]:
    """Attach to the server."""
    command = [sys.executable, "-m", "ftsan", "attach", str(server.pid), *map(str, options)]
    return subprocess.run(command, env=PLAIN, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_a_misuse_is_found_in_a_server_under_load(loop: str, tmp_path: Path) -> None:
    needs("uvicorn", loop)
    report = tmp_path / "report.json"
    with loaded(loop) as (server, load):
        done = attach(server, "--for=1s", "--races=none", "--report-json", report)
        assert done.returncode == 0, done.stderr
        assert json.loads(report.read_text())["findings"] == []
        load.path = "/misuse"
        done = attach(server, "--for=5s", "--races=none", "--report-json", report)
        assert done.returncode == 66, done.stderr
        load.path = "/"
    [finding] = json.loads(report.read_text())["findings"]
    assert finding["rule"] == "FT106"
    assert passes_through(finding["accesses"][0], APPLICATION, "misuse")
    assert finding["accesses"][0]["operation"] == "set"


def test_a_server_under_load_is_attached_to_again_and_again(capsys: pytest.CaptureFixture[str]) -> None:
    needs("uvicorn")
    cycles = int(os.environ.get("FTSAN_ATTACH_CYCLES", "10"))
    with loaded("asyncio") as (server, load):
        began = time.monotonic()
        time.sleep(2)
        attached = time.monotonic()
        for _ in range(cycles):
            done = attach(server, "--for=50ms", "--races=none")
            assert done.returncode == 0, done.stderr
            assert "0 findings" in done.stderr
        left = time.monotonic()
        time.sleep(2)
        end = time.monotonic()
    with capsys.disabled():
        spans = {"before": (began, attached), "while attached to": (attached, left), "after": (left, end)}
        figures = ", ".join(f"{name} {load.slowest(*span):.1f} ms" for name, span in spans.items())
        print(f"\n{len(load.times)} requests, {cycles} times attached to; 99th percentile {figures}")
