"""An application whose counter loses updates where its server has several threads."""

from collections.abc import Callable, Iterable

count = 0


def application(environ: dict[str, object], start_response: Callable[..., object]) -> Iterable[bytes]:
    """Say how many requests there were."""
    global count
    count += 1
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{count}\n".encode()]
