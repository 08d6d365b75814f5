"""A loop takes its work from a count until nothing is left: the second thread finds nothing."""

from ftsan.testing import in_turns


class Work:
    left = 2


work = Work()
done: list[int] = []


def run() -> None:
    while work.left > 0:  # race
        work.left -= 1  # race
        done.append(1)


in_turns(run, run)
