"""A child process of asyncio signalled from a thread and from a pool: the program knows the process, not its transport."""

import asyncio
import contextlib
import signal
import sys
import threading


async def main() -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, "-S", "-c", "import time; time.sleep(60)")  # created

    def worker() -> None:
        process.send_signal(signal.SIGCONT)  # offending: send_signal
        process.terminate()  # offending: terminate

    thread = threading.Thread(target=worker)
    thread.start()
    await asyncio.to_thread(thread.join)
    with contextlib.suppress(ProcessLookupError):
        await asyncio.to_thread(process.kill)  # offending: kill
    await process.wait()


asyncio.run(main())
