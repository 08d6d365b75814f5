"""encode/httpcore#525: a pool of connections for the whole program, and asyncio.run for each request.

Proposed: one event loop, or a pool in each.
"""

import asyncio
import contextlib
import socketserver
import sys
import threading


class Answer(socketserver.StreamRequestHandler):
    """Answers each line."""

    def handle(self) -> None:
        for line in self.rfile:
            self.wfile.write(line)


class Pool:
    """Keeps what it has opened."""

    idle: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def request(self, text: bytes) -> bytes:
        if self.idle is None:
            self.idle = await asyncio.open_connection(*server.server_address)
        reader, writer = self.idle
        writer.write(text + b"\n")
        return await reader.readline()  # offending: FT110


async def main(pool: Pool) -> None:
    assert await pool.request(b"ping") == b"ping\n"


async def whole() -> None:
    pool = Pool()
    await main(pool)
    await main(pool)
    pool.idle[1].close()


server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Answer)
server.daemon_threads = True
threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
if sys.argv[1] == "bad":
    everywhere = Pool()
    for _ in range(2):
        with contextlib.suppress(RuntimeError):
            asyncio.run(main(everywhere))
else:
    asyncio.run(whole())
server.shutdown()
