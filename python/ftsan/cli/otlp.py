"""``ftsan report --to otlp``: findings as log records of OpenTelemetry, so that a fleet uses the backend it has.

One record for each finding: the body is its title, the event's name ``ftsan.finding``, the attributes are those of OpenTelemetry's
semantic conventions where there are such (``code.*``, ``thread.*``), else ours (``ftsan.*``).  The stacks are the attribute
``ftsan.stacks``.
"""

import json
import logging
from typing import Any

from .. import _native
from . import complain, say

#: Name and number of each severity, as OpenTelemetry has them (`Log data model`_).
#: .. _Log data model: https://opentelemetry.io/docs/specs/otel/logs/data-model/#field-severitynumber
SEVERITIES = {"error": ("ERROR", 17), "warning": ("WARN", 13), "info": ("INFO", 9)}

#: How long a request may take with what is tried again, in seconds.
TIMEOUT = 10

#: Path of the logs, below the endpoint of a collector.
LOGS = "/v1/logs"


def export(report: str, endpoint: str) -> int:
    """Send the findings of a report, as JSON, by OTLP over HTTP; returns the exit status: 2 if they did not arrive."""
    try:
        from opentelemetry._logs import LogRecord, SeverityNumber
        from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
        from opentelemetry.sdk._logs import LoggerProvider
        from opentelemetry.sdk._logs.export import BatchLogRecordProcessor, LogRecordExportResult
        from opentelemetry.sdk.resources import Resource
    except ImportError as error:
        return complain(f"--to otlp needs OpenTelemetry ({error.name} is missing): pip install ftsan[otel]")

    # The SDK says by log lines only that an export has failed, and goes on.
    logging.disable(logging.CRITICAL)
    failed = False

    class Exporter(OTLPLogExporter):
        def export(self, *arguments: Any, **more: Any) -> LogRecordExportResult:
            nonlocal failed
            result = super().export(*arguments, **more)
            failed |= result is not LogRecordExportResult.SUCCESS
            return result

    content = json.loads(report)
    resource = Resource.create({"service.name": "ftsan"} | _runtime(content))
    provider = LoggerProvider(resource=resource, shutdown_on_exit=False)
    url = endpoint.rstrip("/") + ("" if endpoint.rstrip("/").endswith(LOGS) else LOGS) if endpoint else None
    findings = content["findings"] + content.get("accepted", [])
    # A queue that is full drops records.
    exporter = Exporter(endpoint=url, timeout=TIMEOUT)
    provider.add_log_record_processor(BatchLogRecordProcessor(exporter, max_queue_size=len(findings) + 512))
    logger = provider.get_logger("ftsan", content["ftsan"])
    for finding in findings:
        text, number = SEVERITIES[finding["severity"]]
        record = LogRecord(
            timestamp=finding["made"]["at"] * 1000 if "made" in finding else None,
            severity_text=text,
            severity_number=SeverityNumber(number),
            body=finding["title"],
            attributes=attributes(finding),
            event_name="ftsan.finding",
        )
        logger.emit(record)
    provider.shutdown()
    if failed:
        return complain(f"the findings could not be sent to {url or 'the endpoint of $OTEL_EXPORTER_OTLP_ENDPOINT'}")
    say(f"ftsan: sent {len(findings)} finding{'' if len(findings) == 1 else 's'}\n")
    return 0


def _runtime(report: dict[str, Any]) -> dict[str, str]:
    """What the resource says of the interpreter."""
    python = report["python"]
    facts = {"process.runtime.name": "cpython", "process.runtime.version": python.get("version"), "ftsan.gil": report["gil"]}
    return {name: value for name, value in facts.items() if value}


def attributes(finding: dict[str, Any]) -> dict[str, Any]:
    """The attributes of a finding's record."""
    given: dict[str, Any] = {
        "ftsan.rule.id": finding["rule"],
        "ftsan.rule.name": finding["name"],
        "ftsan.fingerprint": finding["fingerprint"],
        "ftsan.count": finding["count"],
        "ftsan.witnessed": finding["witnessed"],
        "ftsan.object.type": finding["object"]["type"],
        "ftsan.fix": finding["fix"],
        "ftsan.package": finding.get("package"),
        "ftsan.pids": finding.get("pids"),
        "ftsan.tests": finding.get("tests"),
        "ftsan.accepted.reason": finding.get("accepted", {}).get("reason"),
        "ftsan.stacks": _stacks(finding),
    }
    offending = next((access for access in finding["accesses"] if access["role"] == "offending"), None)
    if offending:
        thread = offending["thread"] or {}
        given |= {"thread.name": thread.get("name"), "thread.id": thread.get("native_id")}
        if offending["stack"]:
            frame = offending["stack"][0]
            given |= {"code.file.path": frame["file"], "code.line.number": frame["line"], "code.function.name": frame["function"]}
    return {name: value for name, value in given.items() if value is not None}


def _stacks(finding: dict[str, Any]) -> str:
    """Both sides, as text."""
    lines: list[str] = []
    for access in finding["accesses"]:
        thread = access["thread"]
        lines.append(f"{access['role']}: {access['operation']}" + (f" by thread {thread['name']!r}" if thread else ""))
        lines += [f"  {frame['file']}:{frame['line']} in {frame['function']}" for frame in access["stack"]]
    return "\n".join(map(_native.printable, lines))
