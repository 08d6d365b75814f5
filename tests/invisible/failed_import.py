"""Libraries whose import fails: nothing but the program and its module is in the tracebacks."""

import pathlib
import sys
import tempfile
import traceback

with tempfile.TemporaryDirectory() as folder:
    sys.path.insert(0, folder)
    for name, content in (("zmq", "raise KeyError('broken')"), ("gevent", "import no_such_module"), ("eventlet", "(")):
        pathlib.Path(folder, f"{name}.py").write_text(content)
        try:
            __import__(name)
        except KeyError, ImportError, SyntaxError:
            print(traceback.format_exc().replace(folder, "FOLDER"))
