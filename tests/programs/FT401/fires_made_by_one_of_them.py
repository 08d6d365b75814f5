"""One thread makes an object and puts it where others can reach it: neither that nor its parts are a secret of its own any more."""

from ftsan.testing import in_turns


class Session:
    def __init__(self) -> None:
        self.hits = 0
        self.tags = {"seen": 0}
        self.rows = [[0]]


hosts: dict[str, dict[str, int]] = {}
sessions: dict[str, Session] = {}


class Place:
    session: Session | None = None


def count() -> None:
    host = hosts.setdefault("a", {"n": 0})
    host["n"] += 1  # race: host
    session = sessions.setdefault("a", Session())
    session.hits += 1  # race: hits
    session.tags["seen"] += 1  # race: tags
    session.rows[0][0] += 1  # race: rows


in_turns(count, count)
