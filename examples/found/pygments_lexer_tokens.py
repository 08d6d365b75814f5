"""Pygments 2.21.0 colours text wrong, maybe for as long as the process lives, if several threads use a lexer for the first time.

    pip install pygments==2.21.0
    ftsan run --races pygments pygments_lexer_tokens.py

``RegexLexerMeta.__call__`` processes the tokens of a lexer class when it is called for the first time, and numbers the states that
it makes up by ``cls._tmpname``, which the second thread sets back to 0: two states of the first thread get the same name.

WRONG: 19 of 20
AT: pygments/lexer.py:RegexLexerMeta.__call__
KNOWN: not found in its tracker
"""

import random
import threading
import time
from collections import Counter

from pygments.lexers import PythonLexer

TEXT = "\n".join(
    rf"{prefix}{quotes}a\n{{b!r}} %s {{c:>10}}{quotes}"
    for prefix in ("", "f", "rf", "b", "u")
    for quotes in ('"', "'", '"""', "'''")
)
ROUNDS = 200
THREADS = 4


def forget() -> None:
    """As if the lexer had not been used yet."""
    for name in ("_tokens", "_all_tokens", "_tmpname"):
        if name in vars(PythonLexer):
            delattr(PythonLexer, name)


def use(number: int) -> None:
    start.wait()
    time.sleep(number * random.random() / 1000)
    outcomes.append("right" if list(PythonLexer().get_tokens(TEXT)) == expected else "wrong")


outcomes: list[str] = []
expected = list(PythonLexer().get_tokens(TEXT))
for_good = 0
for _ in range(ROUNDS):
    forget()
    start = threading.Barrier(THREADS)
    threads = [threading.Thread(target=use, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for_good += list(PythonLexer().get_tokens(TEXT)) != expected
print(f"{dict(Counter(outcomes))}; {for_good} of {ROUNDS} times the lexer was broken for good")
raise SystemExit(set(outcomes) != {"right"} or for_good > 0)
