"""markdown-it-py 4.3.0: text is rendered twice, or not at all, by a parser that several threads use first.

    pip install markdown-it-py==4.3.0
    ftsan run --races markdown_it markdown_it_ruler.py

``Ruler.__compile__`` publishes the cache empty (``self.__cache__ = {}``) and fills it then: a second thread finds it and uses what
is there.  A third one that compiles at the same time appends its rules to the same lists.

WRONG: 14 of 20
AT: markdown_it/ruler.py:Ruler.__compile__
KNOWN: not found in its tracker
"""

import threading
from collections import Counter

from markdown_it import MarkdownIt

THREADS = 4
ROUNDS = 300
TEXT = "# Title\n\nSome *text* with `code` and a [link](http://example.org).\n\n- one\n- two\n"
EXPECTED = MarkdownIt().render(TEXT)
outcomes: list[str] = []


def render(parser: MarkdownIt) -> None:
    start.wait()
    try:
        outcomes.append("right" if parser.render(TEXT) == EXPECTED else "wrong")
    except Exception as error:
        outcomes.append(type(error).__name__)


start = threading.Barrier(THREADS)
for _ in range(ROUNDS):
    parser = MarkdownIt()
    threads = [threading.Thread(target=render, args=(parser,)) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
print(dict(Counter(outcomes)))
raise SystemExit(set(outcomes) != {"right"})
