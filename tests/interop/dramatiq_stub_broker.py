"""dramatiq's AsyncIO middleware, SQLAlchemy and asyncpg: every query is a greenlet switch inside a step of a task."""

import os
import sys

import dramatiq
from dramatiq.brokers.stub import StubBroker
from dramatiq.middleware import AsyncIO
from sqlalchemy import text
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

broker = StubBroker()
broker.add_middleware(AsyncIO())
dramatiq.set_broker(broker)
engine = create_async_engine(os.environ["DSN"].replace("postgresql:", "postgresql+asyncpg:"), pool_size=5)
sessions = async_sessionmaker(engine)


@dramatiq.actor(max_retries=0)
async def query(number: int) -> None:
    async with sessions() as session:
        for _ in range(20):
            assert (await session.execute(text("select :n + 0"), {"n": number})).scalar() == number


worker = dramatiq.Worker(broker, worker_timeout=100, worker_threads=4)
worker.start()
for number in range(40):
    query.send(number)
broker.join(query.queue_name, timeout=60_000, fail_fast=True)
worker.join()
worker.stop()
print("gil", sys._is_gil_enabled())
