"""``ftsan explain``: the manual page of a rule."""

from __future__ import annotations

import sys

from .. import _native


def explain(rule: str) -> int:
    """Print the page of ``rule`` (id or name), or of every rule."""
    pages = {id_: page for id_, _, page in _native.rules_table()}
    if rule == "all":
        print("\n".join(pages.values()), end="")
        return 0
    id_ = _native.find_rule(rule)
    if id_ is None:
        sys.stderr.write(f'ftsan explain: no rule "{rule}" (known: {", ".join(pages)})\n')
        return 2
    print(pages[id_], end="")
    return 0
