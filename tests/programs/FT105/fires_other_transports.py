"""Unix, pipe, datagram and subprocess transports used from a thread that does not run their loop."""

import asyncio
import os
import sys
import tempfile
import threading


async def main() -> None:
    loop = asyncio.get_running_loop()
    with tempfile.TemporaryDirectory() as folder:
        server = await loop.create_unix_server(asyncio.Protocol, f"{folder}/socket")
        unix, _ = await loop.create_unix_connection(asyncio.Protocol, f"{folder}/socket")  # created
        datagram, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, ("127.0.0.1", 0))  # created
        ends = os.pipe()
        reading, _ = await loop.connect_read_pipe(asyncio.Protocol, os.fdopen(ends[0], "rb", 0))  # created
        writing, _ = await loop.connect_write_pipe(asyncio.Protocol, os.fdopen(ends[1], "wb", 0))  # created
        child, _ = await loop.subprocess_exec(  # created
            asyncio.SubprocessProtocol, sys.executable, "-S", "-c", "import time; time.sleep(60)"
        )

        def worker() -> None:
            unix.write(b"x")  # offending: write
            datagram.sendto(b"x", ("127.0.0.1", 9))  # offending: sendto
            reading.pause_reading()  # offending: pause_reading
            writing.write(b"x")  # offending: write
            child.kill()  # offending: kill
            for transport in (unix, datagram, reading, writing):
                transport.close()  # offending: close

        thread = threading.Thread(target=worker)
        thread.start()  # owner
        await asyncio.to_thread(thread.join)  # owner
        child.close()
        server.close()


asyncio.run(main())
