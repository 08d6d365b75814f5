"""The GIL is kept off, whatever is loaded.

OPTIONS: -X gil=0 --require-gil-disabled
ALSO: FT602
"""

import _testmultiphase
import importlib.util
import sys
from importlib.machinery import ExtensionFileLoader

name = "_testmultiphase_nonmodule"
spec = importlib.util.spec_from_loader(name, ExtensionFileLoader(name, _testmultiphase.__file__))
assert spec
importlib.util.module_from_spec(spec)
assert not sys._is_gil_enabled()
