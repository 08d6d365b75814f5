"""The GIL is on, and nobody has asked for the opposite.

OPTIONS: -X gil=1
"""

import sys

assert sys._is_gil_enabled()
