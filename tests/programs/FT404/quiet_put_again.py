"""What is taken away is put again by another thread: taken to be used, an object, under a number that is free by then."""

from ftsan.testing import in_turns

mailbox: dict[str, str] = {"next": "a"}
jobs: dict[str, list[str]] = {"next": []}
names_by_descriptor = {5: "a"}


def take() -> None:
    mailbox.pop("next")
    del jobs["next"]
    del names_by_descriptor[5]


def put() -> None:
    mailbox["next"] = "b"
    jobs["next"] = ["b"]
    names_by_descriptor[5] = "b"


in_turns(take, put)
