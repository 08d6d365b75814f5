"""SQLAlchemy (greenlet, asyncpg) in actors of dramatiq; misuse: an actor uses the shared engine in a loop of its own."""

import asyncio
import contextlib
import os
import queue
import sys
import threading
import uuid
from typing import Any

import dramatiq
from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import AsyncIO
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

MISUSE = sys.argv[1:] == ["misuse"]

broker = RedisBroker(url=os.environ["REDIS_URL"], namespace=f"ftsan-{uuid.uuid4()}")
broker.add_middleware(AsyncIO())
dramatiq.set_broker(broker)
engine = create_async_engine(os.environ["DSN"].replace("postgresql:", "postgresql+asyncpg:"), pool_size=1, max_overflow=0)
answers: queue.SimpleQueue[Any] = queue.SimpleQueue()
busy, free = threading.Event(), threading.Event()


async def select(number: int) -> Any:
    async with engine.connect() as connection:
        return await connection.scalar(text("SELECT :number + 1"), {"number": number})


@dramatiq.actor
async def asynchronous(number: int) -> None:
    answers.put(await select(number))


@dramatiq.actor
def synchronous(number: int) -> None:
    answers.put(dramatiq.asyncio.async_to_sync(select)(number))


@dramatiq.actor
async def blocking() -> None:
    """Blocks the running loop during the misuse: if it served the connection meanwhile, the process would crash at times."""
    busy.set()
    free.wait()


@dramatiq.actor
def with_a_loop_of_its_own() -> None:
    busy.wait()
    with contextlib.suppress(Exception):
        asyncio.run(select(0))  # misuse
    free.set()
    answers.put("misuse")


@dramatiq.actor
async def dispose() -> None:
    await engine.dispose()
    answers.put("disposed")


worker = dramatiq.Worker(broker, worker_timeout=100, worker_threads=4)
worker.start()
try:
    for number in range(20):
        asynchronous.send(number)
        synchronous.send(number)
    assert sorted(answers.get(timeout=10) for _ in range(40)) == sorted([*range(1, 21)] * 2)
    if MISUSE:
        blocking.send()
        with_a_loop_of_its_own.send()
        answers.get(timeout=10)
    dispose.send()
    answers.get(timeout=10)
finally:
    worker.stop()
    broker.close()
print("ok")
