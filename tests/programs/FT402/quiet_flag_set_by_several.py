"""All that a look decides is that a flag is set, which may be set already.

ALSO: FT407
"""

from ftsan.testing import in_turns


class Document:
    def __init__(self) -> None:
        self.is_changed = False
        self.timer: int | None = 1

    def edit(self) -> None:
        if not self.is_changed:
            self.is_changed = True

    def edit_and_say(self) -> str:
        if not self.is_changed:
            self.is_changed = True
        return "changed"

    def stop(self) -> None:
        if self.timer is not None:
            self.timer = None


document = Document()
in_turns(document.edit, document.edit)
in_turns(document.edit_and_say, document.edit_and_say)
in_turns(document.stop, document.stop)
