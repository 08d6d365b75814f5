"""pyparsing 3.3.3 calls parse actions without their arguments if two threads use a new grammar at once.

    pip install pyparsing==3.3.3
    ftsan run --races pyparsing pyparsing_arity.py

How many arguments a parse action takes is found out when it is called for the first time: ``wrapper`` in ``_trim_arity`` leaves out
one more (``limit += 1``) until it does not fail any more.  Two threads leave out one each.

WRONG: 20 of 20
AT: pyparsing/core.py:_trim_arity.<locals>.wrapper
KNOWN: pyparsing documents itself as not thread-safe since 3.3
"""

import threading

import pyparsing

ROUNDS = 300
THREADS = 4

failures: list[str] = []
start = threading.Barrier(THREADS)


def parse(grammar: pyparsing.ParserElement) -> None:
    start.wait()
    try:
        grammar.parse_string("42")
    except TypeError as error:
        failures.append(str(error))


for _ in range(ROUNDS):
    number = pyparsing.Word(pyparsing.nums).set_parse_action(lambda tokens: int(tokens[0]))
    threads = [threading.Thread(target=parse, args=(number,)) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
print(f"{len(failures)} failures in {ROUNDS} rounds{f', like {failures[0]!r}' if failures else ''}")
raise SystemExit(bool(failures))
