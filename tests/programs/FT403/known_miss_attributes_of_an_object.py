"""A loop over the attributes of an object, while another thread gives it a new one."""

from ftsan.testing import Meeting, run, wait_until


class Settings:
    def __init__(self) -> None:
        self.first = self.second = 1


settings, meeting = Settings(), Meeting()
has_added: list[bool] = []


def read() -> None:
    try:
        for _ in vars(settings).items():  # race
            if not has_added:
                meeting.join(0)
                wait_until(lambda: has_added)
    except RuntimeError:
        pass


def add() -> None:
    meeting.join(1)
    settings.third = 1  # race  # type: ignore[attr-defined]
    has_added.append(True)


run(read, add)
