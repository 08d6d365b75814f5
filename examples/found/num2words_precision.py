"""num2words 0.5.14 spells numbers wrong if two threads use it.

    pip install num2words==0.5.14
    ftsan run --races num2words num2words_precision.py

The converter of a language is one object for the whole process (``num2words.CONVERTER_CLASSES``), and ``float2tuple`` leaves the
number of decimals in its attribute ``precision`` for ``to_cardinal_float`` to read: another thread's number comes between.

WRONG: 20 of 20
AT: num2words/base.py:Num2Word_Base.float2tuple
KNOWN: not found in its tracker
"""

import threading

from num2words import num2words

EXPECTED = {0.5: "zero point five", 17.42: "seventeen point four two", 2.125: "two point one two five"}

wrong: list[str] = []
start = threading.Barrier(len(EXPECTED))


def spell(number: float) -> None:
    start.wait()
    for _ in range(2000):
        try:
            spelled = num2words(number)
        except IndexError as error:
            spelled = repr(error)
        if spelled != EXPECTED[number]:
            wrong.append(f"{number}: {spelled}")


threads = [threading.Thread(target=spell, args=(number,)) for number in EXPECTED]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(f"{len(wrong)} wrong, like {wrong[0]!r}" if wrong else "all right this time")
raise SystemExit(bool(wrong))
