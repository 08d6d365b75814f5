"""cssutils 2.15.0: parts of a sheet get lost, or into that of another thread, if two threads parse, each with a parser of its own.

    pip install cssutils==2.15.0
    ftsan run --races cssutils cssutils_tokens.py

All parsers put tokens back into one list of the module, ``savedTokens``, and into one tokenizer.

WRONG: 20 of 20
AT: cssutils/prodparser.py:ProdParser.parse
KNOWN: not found in its tracker
"""

import logging
import threading
from collections import Counter

import cssutils

THREADS = 2
ROUNDS = 500
TEXTS = [
    f"@media screen and (min-width: {width}px), print and (color), tv {{\n    a {{\n        color: red\n        }}\n    }}"
    for width in (100, 200)
]
cssutils.log.setLevel(logging.CRITICAL)
outcomes: list[str] = []


def media(text: str) -> str:
    return cssutils.CSSParser(validate=False).parseString(text).cssRules[0].media.mediaText


def parse(text: str, expected: str) -> None:
    start.wait()
    for _ in range(ROUNDS):
        try:
            outcomes.append("right" if media(text) == expected else "wrong")
        except Exception as error:
            outcomes.append(type(error).__name__)


start = threading.Barrier(THREADS)
threads = [threading.Thread(target=parse, args=(text, media(text))) for text in TEXTS]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(dict(Counter(outcomes)))
raise SystemExit(set(outcomes) != {"right"})
