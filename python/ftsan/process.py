"""Watching this process: start-up, forks, and the last words at exit."""

from __future__ import annotations

import atexit
import os

from . import _native, watch
from .env import describe, gil_state, unsupported


def enable(options: str) -> None:
    """See :func:`ftsan.enable`."""
    reason = unsupported()
    if reason:
        raise RuntimeError(reason)
    _native.start(options, describe(), gil_state())
    try:
        _native.verify_layouts()
    except RuntimeError as error:
        _native.turn_off(f"affinity: {error}")
    else:
        os.register_at_fork(
            before=_native.before_fork,
            after_in_parent=_native.after_fork_in_parent,
            after_in_child=_native.after_fork_in_child,
        )
        watch.install()
    _native.flush()
    atexit.register(_last_words)


def is_enabled() -> bool:
    """See :func:`ftsan.is_enabled`."""
    return _native.is_started()


def _last_words() -> None:
    _native.set_gil(gil_state())
    _native.flush()
