"""Something is put into a set if it is not there, and whoever does that goes on."""

from ftsan.testing import in_turns

seen: set[int] = set()
claimed: set[int] = set()
sent: list[int] = []


def send() -> None:
    if 1 not in seen:  # race: seen
        seen.add(1)  # race: seen
        sent.append(1)


def claim() -> bool:
    if 1 not in claimed:  # race: claimed
        claimed.add(1)  # race: claimed
        return True
    return False


in_turns(send, send)
in_turns(claim, claim)
