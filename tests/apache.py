"""mod_wsgi in Apache under load (``make apache``): a minute of wrk with the GIL and one without, graceful restarts in between.

Fails unless the planted lost update is reported by each process, no request fails, and no process grows.
"""

from __future__ import annotations

import functools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from pathlib import Path

from tests.conftest import PLAIN
from tests.interop.conftest import free_port, readable_by_all
from tests.interop.test_mod_wsgi import PROCESSES, answers, set_up, wait_for

#: How long there is load before and after the graceful restarts, in seconds.
PARTS = (int(os.environ.get("FTSAN_APACHE_SECONDS", "60")), 5, 5)

#: Apache closes connections that are kept alive as soon as all of its own threads are busy, which wrk counts as failures.
CLIENTS = "200"

#: What a process may take more at the end of the first part than at a third of it, in kilobytes.
GROWTH = 2048


def daemons(master: int) -> dict[int, int]:
    """Kilobytes of each process of mod_wsgi's."""
    sizes = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            status = (process / "status").read_text()
            command = (process / "cmdline").read_bytes()
        except OSError:
            continue
        if f"PPid:\t{master}\n" in status and b"(wsgi:" in command:
            sizes[int(process.name)] = int(re.findall(r"VmRSS:\s+(\d+)", status)[0])
    return sizes


def load(port: int, seconds: int) -> tuple[int, Counter[str], float]:
    """Requests that were answered, those that failed by how, and answers per second."""
    words = ["wrk", "-t2", "-c16", f"-d{seconds}s", "--timeout", "30s", f"http://127.0.0.1:{port}/"]
    text = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    failed = Counter({"status": sum(map(int, re.findall(r"Non-2xx or 3xx responses: (\d+)", text)))})
    for errors in re.findall(r"Socket errors: (.*)", text):
        failed.update({kind: int(count) for kind, count in re.findall(r"(\w+) (\d+)", errors)})
    return int(re.findall(r"(\d+) requests in", text)[0]), failed, float(re.findall(r"Requests/sec:\s+([\d.]+)", text)[0])


def run(folder: Path, without_gil: bool) -> list[str]:
    """One minute; prints a line of figures and returns what is wrong."""
    port = free_port()
    server = set_up(folder, port, without_gil, "--max-clients", CLIENTS)
    reports, pid_file = folder / "reports", server / "httpd.pid"
    subprocess.run(readable_by_all([str(server / "apachectl"), "start"], folder), check=True, env=PLAIN)
    requests, failed = 0, Counter[str]()
    rates, early, late = [], dict[int, int](), dict[int, int]()

    def restarted(times: int) -> bool:
        return len(list(reports.glob("*.json"))) == (times + 1) * PROCESSES and answers(port)

    try:
        wait_for(lambda: answers(port), "Apache does not answer")
        master = int(pid_file.read_text())
        for part, seconds in enumerate(PARTS):
            if part:
                os.kill(master, signal.SIGUSR1)
                wait_for(functools.partial(restarted, part), "no restart")
            else:
                third = threading.Timer(seconds / 3, lambda: early.update(daemons(master)))
                third.start()
            answered, wrong, rate = load(port, seconds)
            requests += answered
            failed.update({f"{how} in part {part + 1}": count for how, count in wrong.items() if count})
            rates.append(rate)
            if not part:
                late = daemons(master)
    finally:
        os.kill(int(pid_file.read_text()), signal.SIGTERM)
    wait_for(lambda: not pid_file.exists(), "Apache does not stop")
    found = [json.loads(path.read_text()) for path in reports.glob("ftsan-*.json")]
    log = (server / "error_log").read_text()
    grown = [late[process] - early[process] for process in early.keys() & late.keys()]
    places = [{(one["rule"], one["accesses"][0]["stack"][0]["line"]) for one in report["findings"]} for report in found]
    counts = [one["count"] for report in found for one in report["findings"]]
    mode = "without the GIL" if without_gil else "with the GIL"
    sizes = ", ".join(f"{early[process]} -> {late[process]} kB" for process in early.keys() & late.keys())
    print(
        f"{mode}: {requests} requests ({rates[0]:.0f}/s), {failed.total()} failed; {len(found)} reports,"
        f" lost updates {counts}; {sizes}"
    )
    problems = {
        f"requests failed: {dict(failed)}": failed.total() != 0,
        "a process is not as it was, or has grown": len(grown) != PROCESSES or max(grown) > GROWTH,
        "reports": len(found) != len(PARTS) * PROCESSES,
        "GIL": {report["gil"] for report in found} != {"disabled" if without_gil else "enabled"},
        "not all was watched": any(report["watched"]["off"] for report in found),
        f"findings: {places}": any(place != {("FT401", 11)} for place in places),
        "Apache's log": "Segmentation fault" in log or "exit signal" in log,
    }
    return [f"{mode}: {what}" for what, is_so in problems.items() if is_so]


def main() -> int:
    """Both modes; the exit status."""
    if shutil.which("wrk") is None:
        print("needs wrk (apt-get install wrk)", file=sys.stderr)
        return 2
    wrong = []
    for without_gil in (True, False):
        with tempfile.TemporaryDirectory(prefix="ftsan-apache-") as name:
            Path(name).chmod(0o755)
            wrong += run(Path(name), without_gil)
    print("".join(f"{line}\n" for line in wrong), end="", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
