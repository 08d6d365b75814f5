"""A call of a null function pointer.

verdict: unknown
says: null
"""

import ctypes

ctypes.CFUNCTYPE(ctypes.c_int)(0)()
