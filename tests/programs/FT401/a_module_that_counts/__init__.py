"""A module that counts in what another one has made, imported by a program of this folder."""

import shared_by_programs

shared_by_programs.n += 1
table = {"uses": 0}
table["uses"] += 1
