"""license-expression 30.4.4: licences are unknown to the threads that come while another one prepares the tokenizer.

    pip install license-expression==30.4.4
    ftsan run --races license_expression license_expression_tokenizer.py

``get_advanced_tokenizer`` stores the tokenizer in ``self.advanced_tokenizer`` before it has added a single keyword or symbol to it.

WRONG: 20 of 20
AT: license_expression/__init__.py:Licensing.get_advanced_tokenizer
KNOWN: not found in its tracker
"""

import threading
from collections import Counter

from license_expression import Licensing

THREADS = 4
ROUNDS = 100
NAMES = [f"licence-{number}" for number in range(300)]
outcomes: list[str] = []


def parse(licensing: Licensing) -> None:
    start.wait()
    try:
        unknown = licensing.unknown_license_keys("licence-1 and licence-299", simple=False)
        outcomes.append(f"unknown: {unknown}" if unknown else "right")
    except Exception as error:
        outcomes.append(type(error).__name__)


start = threading.Barrier(THREADS)
for _ in range(ROUNDS):
    licensing = Licensing(NAMES)
    threads = [threading.Thread(target=parse, args=(licensing,)) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
print(dict(Counter(outcomes)))
raise SystemExit(set(outcomes) != {"right"})
