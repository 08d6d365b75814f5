"""docutils 0.23: text gets into a document that another thread parses.

    pip install docutils==0.23
    ftsan run --races docutils docutils_nested_sections.py

``RSTState.nested_sm_cache`` keeps state machines for anybody to use again, and they keep their ``parent_state_machine``: that of
the document for which they were made.  When ``nested_parse`` with titles is done, it tells all parents where what follows belongs.

WRONG: 19 of 20
AT: docutils/parsers/rst/states.py:RSTState.nested_parse
KNOWN: not found in its tracker
"""

import threading
from collections import Counter

from docutils.core import publish_string
from docutils.parsers import rst
from docutils.parsers.rst import directives

ROUNDS = 100
NAMES = ["ant", "bee", "cat", "dog"]


class Nested(rst.Directive):
    has_content = True

    def run(self) -> list[object]:
        self.state.nested_parse(self.content, self.content_offset, match_titles=True)
        return []


SOURCE = """\
NAME 1
======

.. nested::

   NAME 2
   ------

   .. nested::

      NAME 3
      ......

NAME text
"""


def published(name: str) -> str:
    settings = {"report_level": 5, "output_encoding": "unicode"}
    return publish_string(SOURCE.replace("NAME", name), writer="pseudoxml", settings_overrides=settings)


def publish(name: str) -> None:
    start.wait()
    for _ in range(ROUNDS):
        output = published(name)
        if output == EXPECTED[name]:
            outcomes.append("right")
        else:
            foreign = any(f"{other} " in output for other in NAMES if other != name)
            outcomes.append("with text of another document" if foreign else "wrong")


directives.register_directive("nested", Nested)
EXPECTED = {name: published(name) for name in NAMES}
outcomes: list[str] = []
start = threading.Barrier(len(NAMES))
threads = [threading.Thread(target=publish, args=(name,)) for name in NAMES]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(dict(Counter(outcomes)))
raise SystemExit(set(outcomes) != {"right"})
