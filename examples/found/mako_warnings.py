"""Mako 1.4.3: after two threads have compiled templates, warnings may go through a template that is long done.

    pip install mako==1.4.3
    ftsan run --races mako mako_warnings.py

While a template is compiled, ``_show_warnings_as`` puts a function of its own in the place of ``warnings.showwarning``, and what
was there before back afterwards.  That may be another thread's.

WRONG: 13 of 20
AT: mako/template.py:_show_warnings_as
KNOWN: not found in its tracker
"""

import threading
import warnings

from mako.template import Template

THREADS = 4
ROUNDS = 30

original = warnings.showwarning


def compile_templates(number: int) -> None:
    start.wait()
    for round_ in range(ROUNDS):
        Template(f"${{x}} {number} {round_}")


start = threading.Barrier(THREADS)
threads = [threading.Thread(target=compile_templates, args=(number,)) for number in range(THREADS)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("all right this time" if warnings.showwarning is original else f"warnings.showwarning is left to be {warnings.showwarning}")
raise SystemExit(warnings.showwarning is not original)
