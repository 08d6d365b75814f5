"""An extension module that does not declare that it can do without the GIL, loaded as any other."""

import _testmultiphase
import importlib.util
from importlib.machinery import ExtensionFileLoader

name = "_testmultiphase_nonmodule"
spec = importlib.util.spec_from_loader(name, ExtensionFileLoader(name, _testmultiphase.__file__))
assert spec
importlib.util.module_from_spec(spec)  # offending: import
