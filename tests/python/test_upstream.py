"""Findings that lie wholly inside an installed package are told apart."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.conftest import Ftsan
from tests.python.test_programs import marked

PACKAGE = """import threading

class Client:
    def __init__(self, loop):
        self.thread = threading.Thread(target=self.run)
        self.loop = loop
        self.thread.start()

    def run(self):
        self.loop.call_soon(int)
"""

PROGRAM = """import asyncio
import threading

import some_package

async def main():
    loop = asyncio.get_running_loop()
    client = some_package.Client(loop)
    await asyncio.to_thread(client.thread.join)
    if OWN:
        thread = threading.Thread(target=some_package.Client.run, args=(client,))
        thread.start()
        await asyncio.to_thread(thread.join)

asyncio.run(main())
"""


def installed(folder: Path, own: bool) -> Path:
    (folder / "site" / "some_package").mkdir(parents=True)
    (folder / "site" / "some_package" / "__init__.py").write_text(PACKAGE)
    (folder / "site" / "some_package-1.2.dist-info").mkdir()
    program = folder / "program.py"
    program.write_text(PROGRAM.replace("OWN", str(own)))
    return program


def test_a_packages_own_thread_is_its_authors_business(tmp_path: Path, ftsan: Ftsan) -> None:
    program, env = installed(tmp_path, own=False), {"PYTHONPATH": str(tmp_path / "site")}
    run = ftsan(program, env=env)
    assert [(finding["severity"], finding["package"]) for finding in run.findings] == [("info", "some_package 1.2")]
    assert run.status == 0 and "report it upstream" in run.findings[0]["title"]
    run = ftsan("--upstream", program, env=env)
    assert (run.status, [finding["severity"] for finding in run.findings]) == (66, ["error"])


def test_a_thread_that_the_program_started_is_not(tmp_path: Path, ftsan: Ftsan) -> None:
    run = ftsan(installed(tmp_path, own=True), env={"PYTHONPATH": str(tmp_path / "site")})
    assert run.status == 66


CLIENT = """import asyncio

class Client:
    def __init__(self):
        self.lock, self.sent = asyncio.Lock(), asyncio.Event()

    async def get(self):
        async with self.lock:
            self.sent.set()

    def send(self):
        self.sent.set()
"""

USES_CLIENT = """import asyncio
import threading

import some_package

async def get(client):
    await client.get()  # led: get

async def main():
    client = some_package.Client()
    await client.get()
    for work in (lambda: asyncio.run(get(client)), lambda: client.send()):  # led: send
        await asyncio.to_thread(work)
    await asyncio.to_thread(client.send)  # led: send
    await asyncio.to_thread(lambda: asyncio.run(client.get()))  # led: get

asyncio.run(main())
"""


def test_what_a_call_leads_to_inside_a_package_is_one_finding_at_the_programs_line(tmp_path: Path, ftsan: Ftsan) -> None:
    program = installed(tmp_path, own=True)
    (tmp_path / "site" / "some_package" / "__init__.py").write_text(CLIENT)
    program.write_text(USES_CLIENT)
    run = ftsan(program, env={"PYTHONPATH": str(tmp_path / "site")})
    first = [finding["accesses"][0] for finding in run.findings]
    assert {(access["stack"][0]["line"], access["operation"]) for access in first} == set(marked(program, "led"))
    assert len(first) == len(marked(program, "led")), run.stderr
    assert {access["stack"][0]["file"] for access in first} == {str(program)}
    inner = [access["operation"] for access in run.findings[0]["accesses"][1:] if access["role"] == "offending"]
    assert inner == ["set", "release"], "the lock is acquired first"
    assert run.findings[0]["title"].startswith("Client.get() called in thread 'asyncio_0' while")
    assert "run_coroutine_threadsafe(Client.get(...), loop)" in run.findings[0]["fix"]
    assert "call_soon_threadsafe(Client.send, ...)" in run.findings[1]["fix"]


SERVER = """import select
import socket
import threading

class Server:
    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.near, self.far = socket.socketpair()

    def serve_forever(self):
        poller = select.poll()
        poller.register(self.socket, select.POLLIN)
        poller.register(self.far, select.POLLIN)
        poller.poll()

    def shutdown(self):
        self.socket.close()
        self.near.send(b"x")
"""

USES_SERVER = """import threading

import some_package

from ftsan.testing import wait_until_blocked

server = some_package.Server()
thread = threading.Thread(target=TARGET)
thread.start()
wait_until_blocked(thread)
server.shutdown()  # led
thread.join()
server.near.close()
server.far.close()
"""


@pytest.mark.parametrize(
    ("target", "severity"), [("server.serve_forever", "info"), ("lambda: server.serve_forever()", "error")], ids=["its", "ours"]
)
def test_what_a_package_does_to_its_own_thread_is_its_authors_business(
    target: str, severity: str, tmp_path: Path, ftsan: Ftsan
) -> None:
    program = installed(tmp_path, own=True)
    (tmp_path / "site" / "some_package" / "__init__.py").write_text(SERVER)
    program.write_text(USES_SERVER.replace("TARGET", target))
    run = ftsan(program, env={"PYTHONPATH": str(tmp_path / "site")})
    assert [(finding["rule"], finding["severity"]) for finding in run.findings] == [("FT201", severity)], run.stderr
    assert [finding["accesses"][0]["stack"][0]["line"] for finding in run.findings] == [line for line, _ in marked(program, "led")]
    assert run.status == (66 if severity == "error" else 0)


def test_the_transport_inside_a_client_is_what_the_finding_is_about(tmp_path: Path, ftsan: Ftsan) -> None:
    program = installed(tmp_path, own=True)
    (tmp_path / "site" / "some_package" / "__init__.py").write_text(
        "class Client:\n"
        "    def __init__(self, loop, writer):\n        self.loop, self.writer = loop, writer\n"
        "    def send(self):\n        self.loop.call_later(0, int)\n"
        "        self.loop.call_soon(int)\n        self.writer.write(b'x')\n"
    )
    program.write_text(
        "import asyncio, some_package\n"
        "async def main():\n"
        "    server = await asyncio.start_server(lambda *ends: None, '127.0.0.1', 0)\n"
        "    _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())\n"
        "    client = some_package.Client(asyncio.get_running_loop(), writer)\n"
        "    await asyncio.to_thread(lambda: client.send())\n"
        "    writer.close()\n"
        "    server.close()\n"
        "asyncio.run(main())\n"
    )
    run = ftsan(program, env={"PYTHONPATH": str(tmp_path / "site")})
    assert run.rules == ["FT105"], run.stderr
    accesses = [(access["role"], access["operation"]) for access in run.findings[0]["accesses"]]
    assert accesses[:2] == [("offending", "send"), ("offending", "call_soon")]
    assert (run.findings[0]["accesses"][0]["stack"][0]["line"], run.status) == (6, 66)
    assert len(re.findall("^ERROR: ftsan: FT", run.stderr, re.MULTILINE)) == 1, "told twice"
    assert "ftsan: FT105 transport-used-off-thread takes the place of FT101 above: " in run.stderr
