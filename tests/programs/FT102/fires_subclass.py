"""A subclass of Future, with a method and a finalizer of its own, is a Future."""

import asyncio
import threading


class Answer(asyncio.Future):
    """A future with more to it."""

    def answer(self, value: int) -> None:
        self.set_result(value)  # offending: set_result


async def main() -> None:
    answer = Answer()  # created
    thread = threading.Thread(target=answer.answer, args=(42,))
    thread.start()  # owner
    await asyncio.to_thread(thread.join)  # owner
    assert await answer == 42


asyncio.run(main())
