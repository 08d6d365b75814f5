"""Where the injected library lies.  Imports next to nothing: the launcher's start-up is part of every run's."""

import os

#: Beside this file.
HOOKS = os.path.join(os.path.dirname(__file__), "libftsan_hooks.so")
