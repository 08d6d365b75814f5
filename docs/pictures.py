"""``make pictures``: what a user sees: of the tutorial's race a terminal of 80 and of 120 columns and the page, and ``ftsan top``.

The terminal is a pseudo-terminal of that size; its text becomes an SVG by rich, in whatever monospaced font the reader has.  The
page is opened by a headless Chromium.  To be looked at before they are committed.
"""

from __future__ import annotations

import asyncio
import fcntl
import io
import os
import pty
import re
import shutil
import struct
import subprocess
import termios
from pathlib import Path

from ftsan.cli.entering import Process, Refused
from ftsan.cli.picture import View
from ftsan.cli.top import Watching
from ftsan.cli.top_screen import Screen
from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text
from selenium import webdriver
from selenium.webdriver.common.by import By
from textual.widgets import Static

from docs import console

PICTURES = console.PAGES / "pictures"
CODE = "import test_hits; test_hits.test_two_visitors()"
COMMAND = f"ftsan run -c '{CODE}'"
#: Of the page, in pixels.
SIZE = (1200, 800)
FOLDER = Path("/tmp/visits")


def printed(session: console.Session, columns: int) -> str:
    """What the command prints on a terminal of this width."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    env = {name: value for name, value in session.env.items() if name != "COLUMNS"} | {"TERM": "xterm-256color"}
    running = subprocess.Popen(["bash", "-c", COMMAND], cwd=session.folder, env=env, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    text = b""
    try:
        while part := os.read(ours, 65536):
            text += part
    except OSError:  # the other end is closed
        pass
    running.wait()
    os.close(ours)
    return text.decode().replace("\r\n", "\n")


def drawn(text: str, columns: int) -> str:
    """A terminal with this text in it, as SVG."""
    screen = Console(record=True, width=columns, file=io.StringIO(), force_terminal=True)
    for line in [Text(f"$ {COMMAND}"), *Text.from_ansi(text).split("\n", allow_blank=True)]:
        # As a terminal wraps: wherever the line is full.
        for part in line.divide(range(columns, len(line), columns)):
            screen.print(part, no_wrap=True, crop=False)
    # rich's own template has a reader's browser fetch a font.
    template = re.sub(r"@font-face \{\{.*?\}\}\n", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL).replace("Fira Code", "DejaVu Sans Mono")
    return screen.export_svg(title="ftsan", theme=MONOKAI, code_format=template, unique_id=f"columns-{columns}")


def photographed(page: Path, picture: Path) -> None:
    """A page with its findings opened, as PNG."""
    options = webdriver.ChromeOptions()
    for argument in ("--headless=new", "--no-sandbox", "--hide-scrollbars", f"--window-size={SIZE[0]},{SIZE[1]}"):
        options.add_argument(argument)
    with webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver"))) as browser:
        browser.get(page.as_uri())
        browser.find_element(By.XPATH, "//button[contains(., 'Open shown')]").click()
        picture.write_bytes(browser.get_screenshot_as_png())


#: What ``ftsan top`` is shown with: a loop, its tasks, and two threads that wait for each other's lock.
SHOP = """
import asyncio, threading

stock, orders = threading.Lock(), threading.Lock()
both = threading.Barrier(3)

def sell():
    with stock:
        both.wait()
        with orders:
            pass

def restock():
    with orders:
        both.wait()
        with stock:
            pass

async def visitor():
    await asyncio.Event().wait()

async def main():
    visitors = [asyncio.create_task(visitor(), name=f"visitor {number}") for number in range(12)]
    both.wait()
    await asyncio.gather(*visitors)

for target in (sell, restock):
    threading.Thread(target=target, name=target.__name__, daemon=True).start()
asyncio.run(main())
"""


def watched(session: console.Session, columns: int) -> str:
    """The screen of ``ftsan top``, as SVG."""
    (FOLDER / "shop.py").write_text(SHOP)
    run = subprocess.Popen(["ftsan", "run", "shop.py"], cwd=FOLDER, env=session.env, stderr=subprocess.DEVNULL)
    children = Path(f"/proc/{run.pid}/task/{run.pid}/children")
    try:
        # Until it is where it is to be shown.
        while not (pid := children.read_text().strip()) or not _hangs(Process(int(pid))):
            pass
        process = Process(int(pid))
        here = os.getcwd()
        os.chdir(FOLDER)
        try:
            return asyncio.run(_screen(Screen(Watching(process, False), 0.2), columns))
        finally:
            os.chdir(here)
    finally:
        run.terminate()
        run.wait()


def _hangs(process: Process) -> bool:
    try:
        return bool(View(process).look()["circle"])
    except Refused:
        return False  # it has only just begun


async def _screen(screen: Screen, columns: int) -> str:
    async with screen.run_test(size=(columns, 28)) as pilot:
        while "wait for each other" not in str(screen.query_one("#deadlock", Static).render()):
            await pilot.pause(0.1)
        screen.is_over.set()
        await pilot.pause(1)  # it is laid out
        drawn = screen.export_screenshot(title="ftsan top")
    screen.looker.join()
    return re.sub(r"@font-face \{.*?\}\n", "", drawn, flags=re.DOTALL).replace("Fira Code", "DejaVu Sans Mono")


def main() -> None:
    """Take all of them."""
    PICTURES.mkdir(exist_ok=True)
    FOLDER.mkdir()  # not one with a name of its own: what is shown has to look the same the next time
    try:
        session = console.Session(FOLDER)
        for _ in console.steps("<!-- after tutorial.md -->\n", session):
            pass
        for columns in (80, 120):
            (PICTURES / f"terminal-{columns}.svg").write_text(drawn(printed(session, columns), columns))
        session.run(f"ftsan run --report-html=page.html -c '{CODE}'")
        photographed(FOLDER / "page.html", PICTURES / "page.png")
        (PICTURES / "top.svg").write_text(watched(session, 120))
    finally:
        shutil.rmtree(FOLDER)


if __name__ == "__main__":
    main()
