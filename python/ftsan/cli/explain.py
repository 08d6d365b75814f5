"""``ftsan explain``: the rules, and the manual page of each."""

import re
import shutil
import textwrap

from .. import _native
from . import complain, show

#: Longer lines are hard to read, however wide the terminal is.
WIDEST = 100


def explain(rule: str = "") -> int:
    """Print the page of ``rule`` (id or name), or of every rule; without one, the list of them."""
    # A terminal that says nothing of its size says 0.
    width = min(shutil.get_terminal_size().columns or WIDEST, WIDEST)
    rules = _native.rules_table()
    if not rule:
        lines = [_line(id_, name, page, width) for id_, name, page in rules]
        return show("\n".join([*lines, "", "ftsan explain RULE shows the page of one, ftsan explain all that of each", ""]))
    if rule == "all":
        return show("\n".join(_wrapped(page, width) for _, _, page in rules))
    id_ = _native.find_rule(rule)
    if id_ is None:
        return complain(_native.no_such_rule(rule))
    return show("".join(_wrapped(page, width) for other, _, page in rules if other == id_))


def _line(id_: str, name: str, page: str, width: int) -> str:
    """A rule in one line: the first sentence of its page says it."""
    [sentence] = re.findall(r"## What it finds\n\n(.*?(?:[.:](?=\s)|\n\n))", page, re.DOTALL)
    return textwrap.shorten(f"{id_} {name}: {sentence.strip('.:')}", width, placeholder=" ...")


def _wrapped(page: str, width: int) -> str:
    """The page with its paragraphs and the entries of its lists filled; code, tables and headings are as they are."""
    blocks = [_filled(block, width) for block in page.rstrip("\n").split("\n\n")]
    return "\n\n".join(blocks) + "\n"


def _filled(block: str, width: int) -> str:
    if block.startswith((" ", "#", "|", "```")):
        return block
    # A line that begins an entry, or the advice of a fix, is not joined to the one before.
    entries = re.split(r"\n(?=(?:[-*] |\d+\. |Fix\b))", block)
    return "\n".join(_entry(entry, width) for entry in entries)


def _entry(text: str, width: int) -> str:
    mark = re.match(r"[-*] |\d+\. |", text)
    indent = " " * len(mark[0] if mark else "")
    return textwrap.fill(" ".join(text.split()), width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
