"""nltk 3.10.4: a Lancaster stemmer leaves words as they are for the threads that come while another one reads its rules.

    pip install nltk==3.10.4
    ftsan run --races nltk nltk_lancaster.py

``LancasterStemmer.parseRules`` publishes an empty dictionary (``self.rule_dictionary = {}``) and fills it then; ``stem`` asks only
whether it is empty.

WRONG: 20 of 20
AT: nltk/stem/lancaster.py:LancasterStemmer.parseRules
KNOWN: not found in its tracker
"""

import threading
from collections import Counter

from nltk.stem.lancaster import LancasterStemmer

THREADS = 4
ROUNDS = 100
outcomes: list[str] = []


def stem(stemmer: LancasterStemmer) -> None:
    start.wait()
    outcomes.append(stemmer.stem("happily"))


start = threading.Barrier(THREADS)
for _ in range(ROUNDS):
    stemmer = LancasterStemmer()
    threads = [threading.Thread(target=stem, args=(stemmer,)) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
print(dict(Counter(outcomes)))
raise SystemExit(set(outcomes) != {"happy"})
