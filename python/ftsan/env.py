"""Facts about the interpreter, by name.  Readable by any Python 3."""

import sys
import sysconfig


def unsupported():
    # type: () -> str
    """Why this interpreter cannot be watched, in one line; empty if it can."""
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.implementation.name != "cpython":
        return "needs CPython 3.14t; this is %s %s" % (sys.implementation.name, version)
    if sys.version_info < (3, 14):
        return "needs a free-threaded CPython 3.14; %s is %s" % (sys.executable, version)
    if not sysconfig.get_config_var("Py_GIL_DISABLED"):
        return "needs a free-threaded build; %s is CPython %s with the GIL (try python3.14t)" % (sys.executable, version)
    return ""


def gil_state():
    # type: () -> str
    """"disabled" or "enabled", as reports have it."""
    return "enabled" if sys._is_gil_enabled() else "disabled"


def describe():
    # type: () -> dict[str, str]
    """What a report says about the interpreter."""
    return {
        "version": sys.version.split()[0],
        "executable": sys.executable or "",
        "platform": sys.platform,
        "build": "free-threaded" if sysconfig.get_config_var("Py_GIL_DISABLED") else "with the GIL",
    }
