"""The thread that reads a serial port has the stream fed in the thread of its loop."""

import asyncio


async def main() -> None:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()

    def read() -> None:
        loop.call_soon_threadsafe(reader.feed_data, b"hello\n")
        loop.call_soon_threadsafe(reader.feed_eof)

    await asyncio.to_thread(read)
    assert await reader.read() == b"hello\n"


asyncio.run(main())
