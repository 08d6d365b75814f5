"""A name is deleted, and then another thread puts something else under it: that it did not do so first, in vain, is luck."""

from ftsan.testing import in_turns

states = {"job": "new"}


def forget() -> None:
    del states["job"]  # race: job


def restart() -> None:
    states["job"] = "running"  # race: job


in_turns(forget, restart)
