"""An extension module that declares nothing, while the GIL is kept off.

OPTIONS: -X gil=0
"""

import _testmultiphase
import importlib.util
from importlib.machinery import ExtensionFileLoader

for name in ("_testmultiphase_nonmodule", "_testmultiphase_nonmodule", "_testmultiphase_nonmodule_with_methods"):
    spec = importlib.util.spec_from_loader(name, ExtensionFileLoader(name, _testmultiphase.__file__))
    assert spec
    importlib.util.module_from_spec(spec)  # offending: import
