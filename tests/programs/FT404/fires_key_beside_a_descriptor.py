"""Numbers of jobs are keys; one is by chance that of a descriptor, which stays open and tells nothing of when a job is done."""

import os

from ftsan.testing import in_turns

job, _ = os.pipe()
states: dict[int, str] = {}


def start() -> None:
    states[job] = "started"  # race: both


def start_again() -> None:
    states[job] = "again"  # race: both


in_turns(start, lambda: states.pop(job), start_again)
