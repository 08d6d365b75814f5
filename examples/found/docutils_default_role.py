"""docutils 0.23: the default role of one document is that of another thread's document, too, and its end is anybody's.

    pip install docutils==0.23
    ftsan run --races docutils docutils_default_role.py

The directive ``default-role`` writes into ``roles._roles``, which the process has one of, and the parser removes it from there when
it is done with its document: ``if '' in roles._roles: del roles._roles['']``.

WRONG: 20 of 20
AT: docutils/parsers/rst/__init__.py:Parser.parse
KNOWN: chrisjsewell/docutils#569
"""

import threading
from collections import Counter

from docutils.core import publish_string

ROUNDS = 50
DOCUMENTS = [".. default-role:: literal\n\n`text`\n", "`text`\n"]
EXPECTED = [publish_string(text, writer="pseudoxml") for text in DOCUMENTS]

outcomes: list[str] = []
start = threading.Barrier(4)


def publish(number: int) -> None:
    start.wait()
    for _ in range(ROUNDS):
        try:
            output = publish_string(DOCUMENTS[number], writer="pseudoxml")
        except KeyError as error:
            outcomes.append(repr(error))
        else:
            outcomes.append("right" if output == EXPECTED[number] else "wrong")


threads = [threading.Thread(target=publish, args=(number % 2,)) for number in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(dict(Counter(outcomes)))
raise SystemExit(set(outcomes) != {"right"})
