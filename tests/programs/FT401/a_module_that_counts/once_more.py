"""A module in a package: it counts what the package has counted, and once more."""

import shared_by_programs

shared_by_programs.n += 1
