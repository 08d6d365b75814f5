"""YAPF 0.43.0: code is formatted in the style of another thread.

    pip install yapf==0.43.0
    ftsan run --races yapf yapf_style.py

``FormatCode`` keeps the style that it is given in the module, ``style._style``, for all threads.

WRONG: 20 of 20
AT: yapf/yapflib/style.py:SetGlobalStyle
KNOWN: not found in its tracker
"""

import threading
from collections import Counter

from yapf.yapflib.yapf_api import FormatCode

TEXT = "def f(a):\n    if a:\n        return [a, a]\n"
STYLES = ["pep8", "yapf"]
ROUNDS = 200
EXPECTED = {style: FormatCode(TEXT, style_config=style)[0] for style in STYLES}
outcomes: list[str] = []


def write(style: str) -> None:
    start.wait()
    for _ in range(ROUNDS):
        try:
            outcomes.append("right" if FormatCode(TEXT, style_config=style)[0] == EXPECTED[style] else "wrong")
        except Exception as error:
            outcomes.append(type(error).__name__)


start = threading.Barrier(len(STYLES))
threads = [threading.Thread(target=write, args=(style,)) for style in STYLES]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(dict(Counter(outcomes)))
raise SystemExit(set(outcomes) != {"right"})
