"""emoji 2.16.0: emoji are none for the threads that ask while another one builds the search tree.

    pip install emoji==2.16.0
    ftsan run --races emoji emoji_search_tree.py

``tokenizer.get_search_tree`` fills the tree of the module if it is empty; a second thread that finds the first branch takes it for
complete.  Each round empties it again, as if the process had just begun.

WRONG: 20 of 20
AT: emoji/tokenizer.py:get_search_tree
KNOWN: not found in its tracker
"""

import threading

import emoji
from emoji import tokenizer

THREADS = 4
ROUNDS = 20
wrong: list[str] = []


def find() -> None:
    start.wait()
    found = emoji.demojize("\N{THUMBS UP SIGN}")
    if found != ":thumbs_up:":
        wrong.append(found)


start = threading.Barrier(THREADS)
for _ in range(ROUNDS):
    tokenizer._SEARCH_TREE.clear()
    threads = [threading.Thread(target=find) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
print(f"{len(wrong)} of {ROUNDS * THREADS} times no emoji was found")
raise SystemExit(bool(wrong))
