"""The deadlock itself: what is about to happen is reported before the threads wait for each other."""

import threading

a, b = threading.Lock(), threading.Lock()
both_have_one = threading.Barrier(2)
waits = threading.Event()


def forwards() -> None:
    with a:
        both_have_one.wait()
        b.acquire()


def backwards() -> None:
    with b:
        both_have_one.wait()
        waits.wait()
        a.acquire()  # offending: acquired A while holding B


threads = [threading.Thread(target=work, daemon=True) for work in (forwards, backwards)]
for thread in threads:
    thread.start()
threading.Timer(0.3, waits.set).start()
for thread in threads:
    thread.join(0.6)
