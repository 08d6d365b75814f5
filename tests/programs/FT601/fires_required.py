"""The same in a function and in another thread, in a program that must not have the GIL.

OPTIONS: --require-gil-disabled
"""

import _testmultiphase
import importlib.util
import threading
from importlib.machinery import ExtensionFileLoader


def load() -> None:
    name = "_testmultiphase_nonmodule"
    spec = importlib.util.spec_from_loader(name, ExtensionFileLoader(name, _testmultiphase.__file__))
    assert spec
    importlib.util.module_from_spec(spec)  # offending: import


thread = threading.Thread(target=load)
thread.start()
thread.join()
