"""``ftsan explain``: the manual page of a rule."""

from .. import _native
from . import complain, show


def explain(rule: str) -> int:
    """Print the page of ``rule`` (id or name), or of every rule."""
    pages = {id_: page for id_, _, page in _native.rules_table()}
    if rule == "all":
        return show("\n".join(pages.values()))
    id_ = _native.find_rule(rule)
    if id_ is None:
        return complain(f'no rule "{rule}" (known: {", ".join(pages)})')
    return show(pages[id_])
