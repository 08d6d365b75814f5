"""Two threads put something under one name, as the first thing that they do; a third one takes what the first one has put."""

from ftsan.testing import in_turns

mailbox: dict[str, str] = {}


def put_first() -> None:
    mailbox["next"] = "a"  # race: both


def put_then() -> None:
    mailbox["next"] = "b"  # race: both


in_turns(put_first, lambda: mailbox.pop("next"), put_then)
