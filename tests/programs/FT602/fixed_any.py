"""A version of the module that declares it.

OPTIONS: -X gil=0
"""

import _testmultiphase

assert _testmultiphase
