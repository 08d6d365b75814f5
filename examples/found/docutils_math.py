"""docutils 0.23: formulas in lines and formulas on their own are written like each other if two threads write HTML.

    pip install docutils==0.23
    ftsan run --races docutils docutils_math.py

``HTMLTranslator.visit_math`` leaves which of them it is in ``math2html.DocumentParameters.displaymode``, of which the process has
one.

WRONG: 20 of 20
AT: docutils/writers/_html_base.py:HTMLTranslator.visit_math
KNOWN: not found in its tracker
"""

import threading
from collections import Counter

from docutils.core import publish_string

ROUNDS = 100
SOURCES = [r":math:`\\sum_{i=1}^{n} i`", ".. math::\n\n   \\sum_{i=1}^{n} i\n"]


def published(source: str) -> str:
    settings = {"math_output": "HTML", "output_encoding": "unicode"}
    return publish_string(source, writer="html5", settings_overrides=settings)


def publish(number: int) -> None:
    start.wait()
    for _ in range(ROUNDS):
        outcomes.append("right" if published(SOURCES[number]) == EXPECTED[number] else "wrong")


EXPECTED = [published(source) for source in SOURCES]
outcomes: list[str] = []
start = threading.Barrier(4)
threads = [threading.Thread(target=publish, args=(number % 2,)) for number in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(dict(Counter(outcomes)))
raise SystemExit(set(outcomes) != {"right"})
