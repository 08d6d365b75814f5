"""lark 1.3.1: the callbacks of a lexer are not called in the threads that use a new parser at the same time.

    pip install lark==1.3.1
    ftsan run --races lark lark_lexer_callbacks.py

``BasicLexer._build_scanner`` publishes ``self.callback`` and puts the callbacks of the user into it then; a second thread that
builds a scanner, too, takes those away that the first one works with.

WRONG: 17 of 20
AT: lark/lexer.py:BasicLexer._build_scanner
KNOWN: not found in its tracker
"""

import string
import tempfile
import threading
from collections import Counter

from lark import Lark, Token

LETTERS = string.ascii_uppercase
GRAMMAR = "start: (" + "|".join(LETTERS) + ")*\n" + "\n".join(f"{letter}: /{letter.lower()}/" for letter in LETTERS)
TEXT = string.ascii_lowercase * 20
THREADS = 4
ROUNDS = 200
outcomes: list[str] = []


def capital(token: Token) -> Token:
    return token.update(value=token.upper())


def parse(parser: Lark) -> None:
    start.wait()
    try:
        tokens = parser.parse(TEXT).children
        outcomes.append("right" if "".join(tokens) == TEXT.upper() else "not called")
    except RuntimeError as error:
        outcomes.append(str(error))


start = threading.Barrier(THREADS)
with tempfile.NamedTemporaryFile() as cache:
    for _ in range(ROUNDS):
        parser = Lark(GRAMMAR, parser="lalr", lexer="basic", lexer_callbacks=dict.fromkeys(LETTERS, capital), cache=cache.name)
        threads = [threading.Thread(target=parse, args=(parser,)) for _ in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
print(dict(Counter(outcomes)))
raise SystemExit(set(outcomes) != {"right"})
