"""Processes of `multiprocessing`, of the methods that start a program of their own, while locks are held and a loop runs."""

import asyncio
import concurrent.futures
import multiprocessing
import threading

lock = threading.Lock()


def main() -> None:
    held, running, done = threading.Event(), threading.Event(), threading.Event()

    def worker() -> None:
        with lock:
            held.set()
            done.wait()

    async def serve() -> None:
        running.set()
        await asyncio.to_thread(done.wait)

    threads = [threading.Thread(target=target) for target in (worker, lambda: asyncio.run(serve()))]
    for thread in threads:
        thread.start()
    held.wait()
    running.wait()
    for method in ("forkserver", "spawn"):
        with concurrent.futures.ProcessPoolExecutor(1, multiprocessing.get_context(method)) as pool:
            assert list(pool.map(abs, [-1, -2])) == [1, 2]
    done.set()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
