"""Forked and spawned children are watched as well."""

import asyncio
import os
import subprocess
import sys
import threading


async def main() -> None:
    loop = asyncio.get_running_loop()
    thread = threading.Thread(target=lambda: loop.call_soon(int))  # offending: call_soon
    thread.start()  # owner
    await asyncio.to_thread(thread.join)  # owner


if len(sys.argv) == 1:
    pid = os.fork()
    if pid == 0:
        asyncio.run(main())  # created
        os._exit(0)
    os.waitpid(pid, 0)
    # The same finding at the same line, counted twice.
    subprocess.run([sys.executable, __file__, "child"], check=True)
else:
    asyncio.run(main())  # created
