"""Modules that declare it, while the GIL is kept off.

OPTIONS: -X gil=0
"""

import _ctypes
import _ssl

assert _ctypes and _ssl
