"""holidays 0.109: holidays are none for the threads that ask while another one works out those of the year.

    pip install holidays==0.109
    ftsan run --races holidays holidays_years.py

``HolidayBase.__keytransform__`` puts the year into ``self.years`` and then works it out; a second thread that finds the year there
looks the day up in what there is so far.

WRONG: 20 of 20
AT: holidays/holiday_base.py:HolidayBase.__keytransform__
KNOWN: not found in its tracker
"""

import datetime
import threading
from collections import Counter

import holidays

THREADS = 4
DAY = datetime.date(2026, 12, 25)
outcomes: list[str] = []


def ask(calendar: holidays.HolidayBase) -> None:
    start.wait()
    outcomes.append("holiday" if DAY in calendar else "none")


start = threading.Barrier(THREADS)
for country in ["US", "DE", "FR", "IT", "ES", "PT", "PL", "NL"] * 10:
    calendar = holidays.country_holidays(country)
    threads = [threading.Thread(target=ask, args=(calendar,)) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
print(dict(Counter(outcomes)))
raise SystemExit(set(outcomes) != {"holiday"})
