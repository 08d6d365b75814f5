"""A class whose C code decides where attributes go, as `wrapt.ObjectProxy` does: here, to what each thread has of its own.

UNSEEN: accesses
"""

import ctypes
import threading

from ftsan.testing import in_turns

#: `Include/typeslots.h`, `Include/object.h`
GETATTRO, SETATTRO, DEFAULT = 58, 69, 1 << 18 | 1 << 10

own = threading.local()
Get = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.py_object, ctypes.py_object)
Set = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.py_object, ctypes.py_object, ctypes.py_object)


@Get
def get(_: object, name: str) -> object:
    return getattr(own, name)


@Set
def put(_: object, name: str, value: object) -> int:
    setattr(own, name, value)
    return 0


class Slot(ctypes.Structure):
    """`PyType_Slot`"""

    _fields_ = (("slot", ctypes.c_int), ("function", ctypes.c_void_p))


class Spec(ctypes.Structure):
    """`PyType_Spec`"""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("basicsize", ctypes.c_int),
        ("itemsize", ctypes.c_int),
        ("flags", ctypes.c_uint),
        ("slots", ctypes.POINTER(Slot)),
    )


slots = (Slot * 3)(
    Slot(GETATTRO, ctypes.cast(get, ctypes.c_void_p)), Slot(SETATTRO, ctypes.cast(put, ctypes.c_void_p)), Slot(0, None)
)
make = ctypes.pythonapi.PyType_FromSpec
make.restype, make.argtypes = ctypes.py_object, (ctypes.POINTER(Spec),)
spec = Spec(b"proxies.Proxy", 0, 0, DEFAULT, slots)
Proxy = make(ctypes.byref(spec))
proxy = Proxy()


def work() -> None:
    proxy.name = 1
    proxy.name += 1


in_turns(work, work)
