"""elementpath 5.1.4: an XPath with an inline function computes with the variables of another thread's document.

    pip install elementpath==5.1.4
    ftsan run --races elementpath elementpath_closure.py

To evaluate ``function($y) {...}`` keeps the variables round it in the parsed expression, of which a ``Selector`` has one for all
documents: ``self.variables = context.variables.copy()``.

WRONG: 20 of 20
AT: elementpath/xpath30/_xpath30_functions.py:_InlineFunction.evaluate
KNOWN: not found in its tracker
"""

import threading
from collections import Counter
from xml.etree import ElementTree

from elementpath import Selector
from elementpath.xpath3 import XPath3Parser

ROUNDS = 200
DOCUMENTS = [ElementTree.XML("<r>" + f"<n>{number}</n>" * 20 + "</r>") for number in (1, 100)]
selector = Selector("sum(for $x in //n return (function($y) {number($x) * $y})(2))", parser=XPath3Parser)
outcomes: list[str] = []


def evaluate(document: ElementTree.Element, expected: float) -> None:
    start.wait()
    for _ in range(ROUNDS):
        outcomes.append("right" if selector.select(document) == expected else "wrong")


start = threading.Barrier(len(DOCUMENTS))
threads = [threading.Thread(target=evaluate, args=(document, selector.select(document))) for document in DOCUMENTS]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(dict(Counter(outcomes)))
raise SystemExit(set(outcomes) != {"right"})
