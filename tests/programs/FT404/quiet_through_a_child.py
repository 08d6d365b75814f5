"""A child process that answers: a thread that reads the answer, or waits for the end, comes after the asking one."""

import multiprocessing as mp
import subprocess
import sys
import threading
from collections.abc import Callable

COPIES = "import sys\nfor line in sys.stdin: print(line.strip(), flush=True)"


class Answer:
    by_pipe = by_end = by_queue = 0


answer = Answer()


def run(*targets: Callable[[], None]) -> None:
    threads = [threading.Thread(target=target) for target in targets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def echo(questions: mp.Queue[int], answers: mp.Queue[int]) -> None:
    answers.put(questions.get() + 1)


def main() -> None:
    child = subprocess.Popen([sys.executable, "-c", COPIES], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
    assert child.stdin and child.stdout
    ask, reply = child.stdin, child.stdout

    def write() -> None:
        answer.by_pipe = 1
        ask.write("go\n")
        ask.flush()

    def read() -> None:
        assert reply.readline() == "go\n"
        answer.by_pipe = 2

    def finish() -> None:
        answer.by_end = 1
        ask.close()

    def wait() -> None:
        child.wait()
        answer.by_end = 2

    run(read, write)
    run(wait, finish)
    reply.close()

    questions: mp.Queue[int] = mp.Queue()
    answers: mp.Queue[int] = mp.Queue()
    other = mp.Process(target=echo, args=(questions, answers))
    other.start()

    def put() -> None:
        answer.by_queue = 1
        questions.put(1)

    def get() -> None:
        assert answers.get() == 2
        answer.by_queue = 2

    run(get, put)
    other.join()


if __name__ == "__main__":
    main()
