"""The terminal of ``ftsan top``, by textual: the tables of a picture, looked at again and again by a thread of its own."""

import signal
import threading
from typing import ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import DataTable, Footer, Static

from .. import _native
from .attach import ENDING
from .entering import Refused
from .picture import TABLES, Picture, circle, summary

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .top import Watching


class Screen(App[str]):
    """What it returns is why it has ended, if that was not the user's wish."""

    CSS = """
    #process { text-style: bold; }
    #deadlock { background: $error; color: $text; padding: 0 1; }
    .heading { color: $text-muted; margin-top: 1; }
    .unseen { color: $text-warning; }
    DataTable { height: auto; max-height: 20; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "quit", "Quit"),
        Binding("ctrl+c", "quit", "Quit", show=False, priority=True),
        Binding("space", "pause", "Pause"),
        Binding("r", "look", "Look now"),
    ]
    ENABLE_COMMAND_PALETTE = False

    def __init__(self, watching: Watching, seconds: float) -> None:
        super().__init__()
        self.watching, self.seconds = watching, seconds
        self.is_paused = False
        #: Of each table, as it is shown.
        self.rows: dict[str, list[tuple[str, ...]]] = {}
        self.wanted = threading.Event()
        self.is_over = threading.Event()
        self.looker = threading.Thread(target=self._look, name="look", daemon=True)

    def show_until_end(self) -> str | None:
        """Show it until the end; returns why it has ended, if that was not the user's wish."""
        ended = self.run()
        self.is_over.set()
        self.wanted.set()
        # It may be asking the process for something, which is not to be left in the middle of that.
        if self.looker.ident is not None:
            self.looker.join()
        return ended

    def compose(self) -> ComposeResult:
        """Headings and tables."""
        yield Static(id="process", markup=False)
        yield Static(id="summary", markup=False)
        yield Static(id="deadlock", markup=False)
        with VerticalScroll(can_focus=False):
            for name, head, _ in TABLES:
                yield Static(name.upper(), id=f"heading-{name}", classes="heading")
                table: DataTable[str] = DataTable(id=name, cursor_type="row")
                table.add_columns(*head)
                yield table
            yield Static(id="unseen", classes="unseen", markup=False)
        yield Footer()

    def on_mount(self) -> None:
        """Begin to look."""
        import asyncio

        # Until now, and from the end on, they wait: the process is not to be left in the middle of something.
        for number in ENDING:
            asyncio.get_running_loop().add_signal_handler(number, self.exit)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
        for name in ("deadlock", *(part for table, _, _ in TABLES for part in (table, f"heading-{table}"))):
            self.query_one(f"#{name}").display = False
        self.looker.start()

    def on_unmount(self) -> None:
        """Signals wait again."""
        signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)

    def _look(self) -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
        while not self.is_over.is_set():
            try:
                picture = self.watching.look()
            except (Refused, OSError) as error:
                self.call_later(self.exit, str(error))
                return
            if not self.is_paused:
                self.call_later(self.display_picture, picture)
            self.wanted.wait(self.seconds)
            self.wanted.clear()

    def display_picture(self, picture: Picture) -> None:
        """Show a picture instead of the one before."""
        printable = _native.printable
        self.query_one("#process", Static).update(printable(f"process {picture['pid']}: {' '.join(picture['command'])}"))
        self.query_one("#summary", Static).update(summary(picture))
        deadlock = self.query_one("#deadlock", Static)
        deadlock.update(printable(circle(picture)))
        deadlock.display = bool(picture["circle"])
        for name, _, rows_of in TABLES:
            rows = [tuple(printable(cell) for cell in row) for row in rows_of(picture)]
            table: DataTable[str] = self.query_one(f"#{name}", DataTable)
            table.display = self.query_one(f"#heading-{name}").display = bool(rows)
            if rows == self.rows.get(name):
                continue
            self.rows[name] = rows
            row, scrolled = table.cursor_row, table.scroll_offset
            table.clear()
            for cells in rows:
                table.add_row(*map(self._plain, cells))
            table.move_cursor(row=row, scroll=False)
            table.scroll_to(*scrolled, animate=False, force=True)
        self.query_one("#unseen", Static).update("\n".join(printable(f"not seen: {what}") for what in picture["unseen"]))

    @staticmethod
    def _plain(cell: str) -> str:
        """A cell as text: what the program named is no markup."""
        from rich.text import Text

        return Text(cell)  # type: ignore[return-value]

    def action_pause(self) -> None:
        """Keep what is shown, or go on."""
        self.is_paused = not self.is_paused
        self.sub_title = "paused" if self.is_paused else ""

    def action_look(self) -> None:
        """Look at once."""
        self.wanted.set()

    async def action_quit(self) -> None:
        """End without a word."""
        self.exit()
