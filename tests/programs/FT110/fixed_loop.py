"""A program that calls the loop of the run that it is in."""

import asyncio


class Client:
    def later(self) -> None:
        asyncio.get_running_loop().call_later(0, int)


client = Client()


async def main() -> None:
    client.later()
    await asyncio.sleep(0)


asyncio.run(main())
asyncio.run(main())
