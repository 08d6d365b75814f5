"""A worker submits to an executor of its own."""

import asyncio
import concurrent.futures


async def main() -> None:
    loop = asyncio.get_running_loop()
    assert loop.is_running()

    def worker() -> None:
        with concurrent.futures.ThreadPoolExecutor() as executor:
            assert executor.submit(int, "42").result() == 42

    await asyncio.to_thread(worker)


asyncio.run(main())
