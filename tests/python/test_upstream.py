"""What lies wholly inside an installed package is told apart."""

from __future__ import annotations

from pathlib import Path

from tests.conftest import Ftsan

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
