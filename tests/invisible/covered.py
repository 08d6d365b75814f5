"""Coverage of lines and branches, by each of coverage's cores."""

import contextlib
import io
import pathlib
import runpy

import coverage

TARGETS = [str(pathlib.Path(__file__).with_name(name)) for name in ("frames.py", "attributes.py", "identity.py")]

for core in ("sysmon", "ctrace", "pytrace"):
    for branch in (True, False):
        measured = coverage.Coverage(data_file=None, branch=branch, include=TARGETS, config_file=False)
        measured.set_option("run:core", core)
        measured.start()
        with contextlib.redirect_stdout(io.StringIO()):
            for target in TARGETS:
                runpy.run_path(target, run_name="target")
        measured.stop()
        data = measured.get_data()
        for target in TARGETS:
            print(core, branch, sorted(data.lines(target) or ()), sorted(data.arcs(target) or ()))
            _, statements, _, missing, _ = measured.analysis2(target)
            print(statements, missing)
