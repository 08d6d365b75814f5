"""The GIL is on, in a program that must not have it.

OPTIONS: --require-gil-disabled -X gil=1
"""

import sys

assert sys._is_gil_enabled()  # offending: start
