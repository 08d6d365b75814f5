"""Code that is made and run while the interpreter ends, and what becomes of an exception then."""

import traceback


class Late:
    def __init__(self) -> None:
        self.itself = self
        try:
            self.value = 1 // 0
        except ZeroDivisionError as error:
            self.error = error.with_traceback(None)

    def __del__(self) -> None:
        namespace = {}
        exec("def f(o):\n    o.values = [o.real for o in (o,)]\n", namespace)
        try:
            namespace["f"](1)
        except AttributeError as error:
            print("".join(traceback.format_exception(error)), flush=True)
        print("".join(traceback.format_exception(self.error)), flush=True)


late = Late()
