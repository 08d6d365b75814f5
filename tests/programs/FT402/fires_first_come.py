"""The first one to come takes a place, for good: of two that find it free the later one has it, and the earlier one believes so."""

from ftsan.testing import in_turns


class Election:
    leader: str | None = None


election = Election()
owners: dict[str, str] = {}
first = None


def campaign(name: str) -> bool:
    if election.leader is None:  # race: leader
        election.leader = name  # race: leader
        return True
    return False


def own(key: str, name: str) -> None:
    if key not in owners:  # race: owners
        owners[key] = name  # race: owners


def come(name: str) -> None:
    global first
    if first is None:  # race: first
        first = name  # race: first


def one() -> None:
    campaign("one")
    own("a", "one")
    come("one")


def other() -> None:
    campaign("other")
    own("a", "other")
    come("other")


in_turns(one, other)
