"""``make pictures``: what a user sees, from a real run of the tutorial's race: a terminal of 80 and of 120 columns, and the page.

The terminal is a pseudo-terminal of that size; its text becomes an SVG by rich, in whatever monospaced font the reader has.  The
page is opened by a headless Chromium.  To be looked at before they are committed.
"""

from __future__ import annotations

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

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text
from selenium import webdriver
from selenium.webdriver.common.by import By

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
    finally:
        shutil.rmtree(FOLDER)


if __name__ == "__main__":
    main()
