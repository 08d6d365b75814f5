"""The next module to switch the GIL on once the first one is mended.

ALSO: FT601
"""

import _testmultiphase
import importlib.util
from importlib.machinery import ExtensionFileLoader


def load(name: str) -> None:
    spec = importlib.util.spec_from_loader(name, ExtensionFileLoader(name, _testmultiphase.__file__))
    assert spec
    importlib.util.module_from_spec(spec)  # offending: import


load("_testmultiphase_nonmodule")
load("_testmultiphase_nonmodule_with_methods")
