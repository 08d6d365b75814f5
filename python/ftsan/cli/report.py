"""``ftsan report``: a report in another format."""

from .. import _native
from . import complain, show


def report(path: str, format: str) -> int:
    """Print the report at ``path`` in one of ``_native.report_formats()``."""
    try:
        return show(_native.render_report(path, format))
    except OSError as error:
        return complain(f"{path}: {error}")
