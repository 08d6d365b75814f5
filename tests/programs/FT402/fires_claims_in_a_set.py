"""A name that is in a set was claimed by somebody; both threads find that it is not, and claim it."""

import threading

seen: set[str] = set()
known: set[str] = set()
done: list[str] = []


def claim(name: str) -> None:
    if name in seen:  # maybe: seen
        return
    seen.add(name)  # race: seen
    done.append(name)


def learn(name: str) -> None:
    if name not in known:  # maybe: known
        known.add(name)  # race: known
        done.append(name)


def worker() -> None:
    for name in ("a", "b", "c"):
        claim(name)
        learn(name)


threads = [threading.Thread(target=worker) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
