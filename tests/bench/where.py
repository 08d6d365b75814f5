"""What a measurement holds for."""

from __future__ import annotations

import datetime
import os
import platform
import re
import sys
import sysconfig
from pathlib import Path

import ftsan


def where() -> str:
    """When, on what interpreter, and on what machine."""
    processors = Path("/proc/cpuinfo").read_text()
    [model, *_] = re.findall(r"^model name\s*: (.*)$", processors, re.MULTILINE) or [platform.machine()]
    interpreter = f"{platform.python_implementation()} {sys.version.split(' (')[0]} ({sysconfig.get_config_var('OPT')})"
    gil = "on" if sys._is_gil_enabled() else "off"
    return (
        f"{datetime.date.today()}: ftsan {ftsan.__version__}, {interpreter}, the GIL {gil},"
        f" {model}, {os.cpu_count()} cores, Linux {platform.release()}, load {os.getloadavg()[0]:.1f}"
    )
