"""``ftsan report --to otlp``, received by a server on loopback that reads OpenTelemetry's protobuf."""

from __future__ import annotations

import gzip
import http.server
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import PLAIN, Ftsan
from tests.interop.conftest import needs


class Receiver(http.server.BaseHTTPRequestHandler):
    """Takes what is sent to /v1/logs."""

    received: list[Any]
    status = 200

    def do_POST(self) -> None:
        from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

        body = self.rfile.read(int(self.headers["Content-Length"]))
        body = gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body
        if self.path == "/v1/logs" and self.headers["Content-Type"] == "application/x-protobuf":
            self.received.append(ExportLogsServiceRequest.FromString(body))
            self.send_response(self.status)
        else:
            self.send_response(404)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def collector() -> Iterator[tuple[str, type[Receiver]]]:
    needs("opentelemetry-exporter-otlp-proto-http")
    handler = type("Handler", (Receiver,), {"received": []})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", handler
        server.shutdown()
        thread.join()


def send(folder: Path, *arguments: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ftsan", "report", "report.json", "--to", "otlp", *arguments]
    return subprocess.run(command, env=PLAIN | (env or {}), cwd=folder, capture_output=True, text=True, check=False)


def test_a_finding_is_a_log_record(ftsan: Ftsan, tmp_path: Path, race: Path, collector: tuple[str, type[Receiver]]) -> None:
    url, handler = collector
    [finding] = ftsan(race).findings
    done = send(tmp_path, "--endpoint", url)
    assert (done.returncode, done.stderr) == (0, "ftsan: sent 1 finding\n")
    [request] = handler.received
    [of_resource] = request.resource_logs
    assert {each.key: each.value.string_value for each in of_resource.resource.attributes}["service.name"] == "ftsan"
    [record] = of_resource.scope_logs[0].log_records
    assert (record.severity_text, record.severity_number, record.event_name) == ("ERROR", 17, "ftsan.finding")
    assert record.body.string_value == finding["title"]
    assert record.time_unix_nano == finding["made"]["at"] * 1000
    values = {each.key: each.value for each in record.attributes}
    frame = finding["accesses"][0]["stack"][0]
    assert values["code.file.path"].string_value == frame["file"]
    assert values["code.line.number"].int_value == frame["line"]
    assert values["ftsan.fingerprint"].string_value == finding["fingerprint"]
    assert values["ftsan.count"].int_value == finding["count"]
    assert [each.int_value for each in values["ftsan.pids"].array_value.values] == finding["pids"]
    assert values["ftsan.stacks"].string_value.count(frame["file"]) >= 2, "both stacks"
    again = send(tmp_path, env={"OTEL_EXPORTER_OTLP_ENDPOINT": url})
    assert (again.returncode, len(handler.received)) == (0, 2)


def test_what_does_not_arrive_is_said(ftsan: Ftsan, tmp_path: Path, race: Path, collector: tuple[str, type[Receiver]]) -> None:
    url, handler = collector
    handler.status = 400
    ftsan(race)
    done = send(tmp_path, "--endpoint", url)
    assert (done.returncode, done.stderr) == (2, f"ftsan: the findings could not be sent to {url}/v1/logs\n")
    assert len(handler.received) == 1


def test_without_the_extra_its_name_is_said(ftsan: Ftsan, tmp_path: Path, race: Path) -> None:
    ftsan(race)
    (tmp_path / "opentelemetry.py").write_text("")
    done = send(tmp_path, env={"PYTHONPATH": str(tmp_path)})
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "pip install ftsan[otel]" in done.stderr
