"""A version of the module that declares it.

OPTIONS: --require-gil-disabled
"""

import _testmultiphase
import sys

assert _testmultiphase
assert not sys._is_gil_enabled()
