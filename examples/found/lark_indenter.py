"""lark 1.3.1: a parser for a language with indentation fails if two threads use it.

    pip install lark==1.3.1
    ftsan run --races lark lark_indenter.py

``Indenter`` keeps how deep the text is indented in itself, ``self.indent_level``, and a parser has one of them for all texts.

WRONG: 18 of 20
AT: lark/indenter.py:Indenter.handle_NL
KNOWN: not found in its tracker
"""

import threading
from collections import Counter

from lark import Lark
from lark.indenter import Indenter

GRAMMAR = r"""
    ?start: _NL* tree
    tree: NAME _NL [_INDENT tree+ _DEDENT]
    %import common.CNAME -> NAME
    %import common.WS_INLINE
    %declare _INDENT _DEDENT
    %ignore WS_INLINE
    _NL: /(\r?\n[\t ]*)+/
"""


class Tree(Indenter):
    NL_type = "_NL"
    OPEN_PAREN_types = ()
    CLOSE_PAREN_types = ()
    INDENT_type = "_INDENT"
    DEDENT_type = "_DEDENT"
    tab_len = 8


TEXT = "a\n    b\n        c\n        d\n    e\n        f\n"
ROUNDS = 1000
parser = Lark(GRAMMAR, parser="lalr", postlex=Tree())
expected = parser.parse(TEXT)
outcomes: list[str] = []


def parse() -> None:
    for _ in range(ROUNDS):
        try:
            outcomes.append("right" if parser.parse(TEXT) == expected else "wrong")
        except Exception as error:
            outcomes.append(type(error).__name__)


threads = [threading.Thread(target=parse) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(dict(Counter(outcomes)))
raise SystemExit(set(outcomes) != {"right"})
