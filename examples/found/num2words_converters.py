"""num2words 0.5.14: what one thread asks for is in the words that another one gets.

    pip install num2words==0.5.14
    ftsan run --races num2words num2words_converters.py

The converter of a language is one object for the whole process, and some change it for as long as a call takes: that an ordinal
number is wanted (Danish, Slovenian), the sign (Portuguese), the word for one (Romanian), all there is to know of a number (Arabic,
Turkish).  Portuguese is worst: ``negword`` loses its last character and gets it back, from a second thread perhaps a shorter one.

WRONG: 20 of 20
AT: num2words/lang_AR.py:Num2Word_AR.convert_to_arabic
KNOWN: not found in its tracker
"""

import threading

from num2words import num2words

ROUNDS = 300
THREADS = 4

CALLS = {
    "ar": [(1999, {}), (21, {"to": "ordinal"}), (17.5, {"to": "currency", "currency": "KWD"})],
    "da": [(1_000_000, {}), (1_000_000, {"to": "ordinal"})],
    "pt": [(-5, {}), (-5, {"to": "currency"})],
    "ro": [(1_001_000, {}), (1_001_001, {"to": "currency"})],
    "sl": [(2_000_000, {}), (2_000_000, {"to": "ordinal"})],
    "tr": [(12_345, {}), (67, {}), (987, {"to": "ordinal"})],
}


def words(language: str, number: float, options: dict[str, str]) -> str:
    try:
        return num2words(number, lang=language, **options)
    except Exception as error:
        return repr(error)


def ask(language: str, calls: list[tuple[int, float, dict[str, str]]]) -> None:
    start.wait()
    for _ in range(ROUNDS):
        for place, number, options in calls:
            if words(language, number, options) != expected[place]:
                wrong.append(language)


wrong: list[str] = []
start = threading.Barrier(THREADS)
for language, calls in CALLS.items():
    expected = [words(language, *call) for call in calls]
    numbered = [(place, *call) for place, call in enumerate(calls)]
    turned = [numbered[place % len(calls) :] + numbered[: place % len(calls)] for place in range(THREADS)]
    threads = [threading.Thread(target=ask, args=(language, each)) for each in turned]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(f"{language}: {wrong.count(language)} of {ROUNDS * THREADS * len(calls)} are wrong; afterwards", end=" ")
    print([words(language, *call) for call in calls if words(language, *call) not in expected] or "all is right again")
raise SystemExit(bool(wrong))
