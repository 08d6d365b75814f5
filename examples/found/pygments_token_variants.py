"""Pygments 2.21.0: lexers with variants of their tokens (C#, Nemerle) fail now and then if two threads make one, not only at first.

    pip install pygments==2.21.0
    ftsan run --races pygments pygments_token_variants.py

``RegexLexerMeta.__call__`` takes such a class for one that was never used, and throws its tokens away: ``cls._all_tokens = {}``.
``process_tokendef`` puts new ones there before they are complete, and ``CSharpLexer.__init__`` takes what is there as it is.

WRONG: 18 of 20
AT: pygments/lexer.py:RegexLexerMeta.__call__
KNOWN: not found in its tracker
"""

import threading
from collections import Counter

from pygments.lexers import CSharpLexer

TEXT = "int a;\n"
ROUNDS = 500
THREADS = 4

EXPECTED = list(CSharpLexer().get_tokens(TEXT))
outcomes: list[str] = []
start = threading.Barrier(THREADS)


def highlight() -> None:
    start.wait()
    for _ in range(ROUNDS):
        try:
            tokens = list(CSharpLexer().get_tokens(TEXT))
        except KeyError as error:
            outcomes.append(repr(error))
        else:
            outcomes.append("right" if tokens == EXPECTED else "wrong")


threads = [threading.Thread(target=highlight) for _ in range(THREADS)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(dict(Counter(outcomes)))
raise SystemExit(set(outcomes) != {"right"})
