"""The GIL is off.

OPTIONS: --require-gil-disabled
"""

import sys

assert not sys._is_gil_enabled()
