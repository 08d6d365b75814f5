"""``ftsan report``: a report in another format, printed or sent."""

from .. import _native
from . import complain, show


def report(path: str, format: str, endpoint: str = "") -> int:
    """Print the report at ``path`` in one of ``_native.report_formats()``, or send it to an OTLP ``endpoint``."""
    try:
        if format == "otlp":
            from .otlp import export

            return export(_native.read_report(path), endpoint)
        return show(_native.render_report(path, format))
    except OSError as error:
        return complain(f"{path}: {error}")
