"""The stacks of a core file or of a process, by pystack, as JSON: ``python -m ftsan.cli.pystack_reader core|process WHICH``.

A process of its own: pystack's extension module turns the GIL on, and it reads memory that may be corrupt.
"""

import json
import struct
import sys
from typing import Any

#: ``<elf.h>``.
_PT_NOTE = 4
_NT_PRSTATUS = 1
#: Where ``pr_pid`` is in ``struct elf_prstatus``.
_PRSTATUS_PID = 32


def main(kind: str, which: str) -> None:
    """Print what pystack finds, in the fields of ``crash.json``."""
    from pystack.engine import CoreFileAnalyzer, NativeReportingMode, get_process_threads, get_process_threads_for_core

    if kind == "core":
        analyzer = CoreFileAnalyzer(which)
        executable = analyzer.extract_executable()
        threads = get_process_threads_for_core(which, executable, native_mode=NativeReportingMode.ALL)
        found = _death(analyzer.extract_failure_info()) | {"pid": analyzer.extract_pid()}
        crashed = 0 if "hang" in found else first_thread(which)
        found["python"] = {"executable": str(executable)}
    else:
        threads = get_process_threads(int(which), native_mode=NativeReportingMode.ALL)
        found = {"pid": int(which), "hang": True}
        crashed = 0
    version = next((thread.python_version for thread in threads if thread.python_version), None)
    if version:
        found.setdefault("python", {})["version"] = "Python " + ".".join(map(str, version))
    found["threads"] = [_thread(thread, crashed) for thread in threads]
    json.dump(found, sys.stdout)


def _death(info: dict[str, Any]) -> dict[str, Any]:
    import signal

    number, code = info["si_signo"], info["si_code"]
    if number in (0, signal.SIGSTOP):  # gcore's: the process lived
        return {"hang": True}
    found: dict[str, Any] = {"signal": signal.Signals(number).name if number else "", "code": code}
    if code <= 0:
        found["sender"] = info["sender_pid"]
    elif number in (signal.SIGSEGV, signal.SIGBUS):
        found["address"] = info["failed_addr"] or 0
    return found


def first_thread(core: str) -> int:
    """The kernel's id of the thread that died: the kernel, and gdb, describe that one first; 0 if it is not described.

    :param core: path of a core file of a 64-bit little-endian process.
    """
    with open(core, "rb") as file:
        header = file.read(64)
        table, size, count = *struct.unpack_from("<Q", header, 32), *struct.unpack_from("<HH", header, 54)
        for at in range(count):
            file.seek(table + at * size)
            kind, _, offset, _, _, length = struct.unpack("<IIQQQQ", file.read(40))
            if kind != _PT_NOTE:
                continue
            file.seek(offset)
            notes = file.read(length)
            at_note = 0
            while at_note + 12 <= len(notes):
                name, described, note = struct.unpack_from("<III", notes, at_note)
                description = at_note + 12 + (name + 3 & ~3)
                if note == _NT_PRSTATUS:
                    return int(struct.unpack_from("<I", notes, description + _PRSTATUS_PID)[0])
                at_note = description + (described + 3 & ~3)
    return 0


def _thread(thread: Any, crashed: int) -> dict[str, Any]:
    python = [
        {"file": frame.code.filename, "line": frame.code.location.lineno, "function": frame.code.scope} for frame in thread.frames
    ]
    native = [
        {"module": frame.library or "", "symbol": frame.symbol.removesuffix(" (inlined)").replace("???", ""), "offset": 0}
        for frame in thread.native_frames
    ]
    native.reverse()
    if native and native[0]["module"].endswith("libftsan_hooks.so"):
        # It was stopped by the crash handler: its own frames lie below that of the signal.
        frames = [frame["symbol"] for frame in native]
        del native[: frames.index("__restore_rt") + 1 if "__restore_rt" in frames else 0]
    return {
        "name": thread.name or "",
        "native_id": thread.tid,
        "crashed": thread.tid == crashed,
        "python": python[::-1],
        "native": native,
    }


if __name__ == "__main__":
    main(*sys.argv[1:])
