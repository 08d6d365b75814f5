"""inflect 7.6.0: numbers are spelled as thousands or millions that they are not if two threads use an engine.

    pip install inflect==7.6.0
    ftsan run --races inflect inflect_numbers.py

``number_to_words`` counts the groups of three digits in the engine, ``self.mill_count += 1``, and sets it back to 0 for each
number.

WRONG: 20 of 20
AT: inflect/__init__.py:engine.hundsub
KNOWN: not found in its tracker
"""

import threading
from collections import Counter

import inflect

NUMBERS = [1_234_567, 12_345_678_901]
ROUNDS = 4000
engine = inflect.engine()
outcomes: list[str] = []


def spell(number: int, words: str) -> None:
    start.wait()
    for _ in range(ROUNDS):
        outcomes.append("right" if engine.number_to_words(number) == words else "wrong")


start = threading.Barrier(len(NUMBERS))
threads = [threading.Thread(target=spell, args=(number, engine.number_to_words(number))) for number in NUMBERS]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(dict(Counter(outcomes)))
raise SystemExit(set(outcomes) != {"right"})
