"""Coroutines, asynchronous generators and contexts: one thread drives one at a time.  Built in, so hooked at start-up."""

from .. import _native

#: (owner, methods) of: coroutines, generators, asynchronous generators, what asend returns, what athrow returns.
METHODS = (
    ("coroutine", "send throw close"),
    ("coroutine", "send throw close"),
    ("async-generator", "asend athrow aclose"),
    ("async-step", "send throw close"),
    ("async-step", "send throw close"),
)


def hook() -> None:
    """Hook them.  If that fails, the rule is off and the report says so."""
    try:
        for class_, (owner, methods) in zip(_native.watch_coroutines(), METHODS, strict=True):
            for method in methods.split():
                _native.watch_method(vars(class_)[method], owner, "FT108", method, "asyncio")
        context = _native.watch_contexts()
        _native.watch_method(vars(context)["run"], "context", "FT108", "run", "asyncio")
    except Exception as error:
        _native.turn_off(f"coroutines: {type(error).__name__}: {error}")
