"""Tracebacks: lines, carets, offsets, and what is made of them."""

import faulthandler
import sys
import threading
import traceback
import types


class Box:
    def __init__(self, content=None):
        self.content = content

    def __getitem__(self, key):
        return self.content.items[key]


def attribute(box):
    return box.content.missing + (box.
        content)  # fmt: skip


def item(box):
    values = {"a": box.content}
    return values["a"] or values["b"]["c"]


def wrong_call(box):
    return (box.content or
        Box(box).content(box.content,
            1))  # fmt: skip


def operator(box):
    total = 1
    total += box.content
    return total


def handled(box):
    try:
        return box[0]
    except AttributeError as error:
        box.content[0] = error
    finally:
        box.content = box.content


def group(box):
    raise ExceptionGroup("several", [ValueError(box.content), TypeError()])


def comprehension(box):
    return [[value.x for value in box.content] for _ in range(2)]


def deep(box, depth):
    return deep(box, depth - 1) if depth else box.content.x


for function in (attribute, item, wrong_call, operator, handled, group, comprehension, lambda box: deep(box, 5)):
    for content in (None, [1]):
        try:
            function(Box(content))
        except Exception as error:
            traceback.print_exc(file=sys.stdout)
            trace = error.__traceback__
            while trace:
                code = trace.tb_frame.f_code
                print(trace.tb_lasti, trace.tb_lineno, trace.tb_frame.f_lasti, list(code.co_positions())[trace.tb_lasti // 2])
                made = types.TracebackType(None, trace.tb_frame, trace.tb_lasti, trace.tb_lineno)
                print(made.tb_lasti, made.tb_lineno, types.TracebackType(None, trace.tb_frame, trace.tb_lasti, -1).tb_lineno)
                traceback.print_exception(error.with_traceback(made), file=sys.stdout)
                trace = trace.tb_next


def dump():
    Box(faulthandler.dump_traceback(sys.stdout)).content
    Box(traceback.print_stack(file=sys.stdout)).content


dump()
thread = threading.Thread(target=attribute, args=(Box(),), name="Thread")
threading.excepthook = lambda hooked: traceback.print_tb(hooked.exc_traceback, file=sys.stdout)
thread.start()
thread.join()
sys.stderr = sys.stdout
attribute(Box())
