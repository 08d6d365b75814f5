"""The lock is inside a queue, in the middle of whose `put` another thread was; the child ends as any program does."""

import os
import queue
import signal
import threading
import warnings

inside, done = threading.Event(), threading.Event()


class Jobs(queue.Queue[int]):
    def _put(self, item: int) -> None:
        inside.set()
        done.wait()
        super()._put(item)


jobs = Jobs()


def give_up(*_: object) -> None:
    os._exit(0)


warnings.simplefilter("ignore")
thread = threading.Thread(target=jobs.put, args=(1,))
thread.start()
inside.wait()
pid = os.fork()
if not pid:
    signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, 0.1, 0.1)  # again: a lock that is about to be waited for does not see the first one
    jobs.get()  # offending: __enter__
assert os.waitpid(pid, 0)[1] == 0
done.set()
thread.join()
