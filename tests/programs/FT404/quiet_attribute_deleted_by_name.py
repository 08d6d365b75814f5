"""Two threads take away an attribute by its name, and the one that comes too late handles it."""

from ftsan.testing import in_turns


class Session:
    user = ""


session = Session()
session.user = "root"
name = "user"


def log_out() -> None:
    try:
        delattr(session, name)
    except AttributeError:
        return


in_turns(log_out, log_out)
