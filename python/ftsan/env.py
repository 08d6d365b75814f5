"""Facts about the interpreter, by name.  Readable by any Python 3, and imports nothing: it is loaded into every watched process."""

import sys


def is_free_threaded_build():
    # type: () -> bool
    """Whether the interpreter was built with ``--disable-gil`` (PEP 703: the ABI flag ``t``)."""
    return "t" in getattr(sys, "abiflags", "")


def unsupported():
    # type: () -> str
    """Why this interpreter cannot be watched, in one line; empty if it can."""
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.implementation.name != "cpython":
        return "needs CPython 3.14 or 3.15, with the GIL or without; this is %s %s" % (sys.implementation.name, version)
    if sys.platform != "linux":
        how = {"darwin": "kqueue", "win32": "IOCP"}.get(sys.platform, "kqueue" if "bsd" in sys.platform else "something else")
        return "needs Linux: on %s event loops wait by %s, which is not watched" % (sys.platform, how)
    if sys.version_info < (3, 14):
        return "needs CPython 3.14 or 3.15, with the GIL or without; %s is %s" % (sys.executable, version)
    return ""


def name():
    # type: () -> str
    """Version and kind of the interpreter, as its command has them: "3.14t"."""
    return "%d.%d%s" % (sys.version_info[0], sys.version_info[1], getattr(sys, "abiflags", ""))


def gil_state():
    # type: () -> str
    """ "disabled" or "enabled", as reports have it."""
    return "enabled" if sys._is_gil_enabled() else "disabled"


def why_gil_is_on():
    # type: () -> str
    """Why the GIL is on, as far as the interpreter's start-up tells; empty if it is off."""
    if gil_state() == "disabled":
        return ""
    if not is_free_threaded_build():
        return "this interpreter was built with it"
    option = sys._xoptions.get("gil")
    if option:
        return "-X gil=%s" % (option,)
    import os

    if os.environ.get("PYTHON_GIL") and not sys.flags.ignore_environment:
        return "PYTHON_GIL=%s" % os.environ["PYTHON_GIL"]
    return "an extension module that was imported at start-up has switched it on"


def describe():
    # type: () -> dict[str, str]
    """What a report says about the interpreter."""
    return {
        "version": sys.version.split()[0],
        "executable": sys.executable or "",
        "platform": sys.platform,
        "build": "free-threaded" if is_free_threaded_build() else "with the GIL",
    }
