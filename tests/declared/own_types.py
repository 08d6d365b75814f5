"""A program that declares its own types, each with another kind of owner."""

import asyncio
import threading

import ftsan


class Client:
    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()

    def ask(self) -> None:
        self.answer()

    def answer(self) -> None:
        pass

    def statistics(self) -> None:
        self.ask()

    def ask_threadsafe(self) -> None:
        self.loop.call_soon_threadsafe(self.ask)


class Bare:
    """Without an ``__init__``: nothing can be remembered of it."""

    loop: asyncio.AbstractEventLoop

    def ask(self) -> None:
        pass


class Cache:
    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        pass


class Window:
    def __init__(self) -> None:
        self.title = ""

    def draw(self) -> None:
        pass


class Pool:
    def __init__(self) -> None:
        self.items: list[int] = []

    def take(self) -> None:
        pass


ftsan.declare("__main__:Client", owner="attribute:loop", thread_safe="statistics", hand_overs="ask_threadsafe", rule="FT105")
ftsan.declare("__main__:Bare", owner="attribute:loop", rule="FT105")
ftsan.declare("__main__:Cache", owner="first-use", methods="clear")
ftsan.declare("__main__:Window", owner="thread", methods="draw", rule="hub-primitive-shared")
ftsan.declare("__main__:Pool", owner="hub")

window, pool, unused = Window(), Pool(), Pool()
window.draw()
pool.take()


def worker(client: Client, bare: Bare, cache: Cache) -> None:
    client.ask()  # offending: ask
    bare.ask()  # offending: ask
    client.statistics()
    client.ask_threadsafe()
    cache.clear()  # offending: clear
    window.draw()  # offending: draw
    pool.take()  # offending: take
    unused.take()
    Window().draw()


async def main() -> None:
    client, bare, cache = Client(), Bare(), Cache()
    bare.loop = asyncio.get_running_loop()
    client.ask()
    bare.ask()
    cache.clear()
    thread = threading.Thread(target=worker, args=(client, bare, cache))
    thread.start()
    thread.join()
    await asyncio.sleep(0)


asyncio.run(main())
