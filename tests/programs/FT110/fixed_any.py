"""One loop for all that the client does, which is made and closed in it."""

import asyncio


class Client:
    """Keeps a connection to a server."""

    async def open(self) -> None:
        self.server = await asyncio.start_server(lambda reader, writer: writer.write(b"hello\n"), "127.0.0.1", 0)
        self.reader, self.writer = await asyncio.open_connection(*self.server.sockets[0].getsockname())

    async def get(self) -> bytes:
        return await self.reader.readexactly(1)

    async def close(self) -> None:
        self.writer.close()
        self.server.close()


async def main() -> None:
    client = Client()
    await client.open()
    assert await client.get() == b"h"
    assert await client.get() == b"e"
    await client.close()


asyncio.run(main())
