"""Every kind of foreign call on a loop, its futures, transports, handles and primitives: ``asyncio_calls.py MODULE``,
where the module has a ``new_event_loop``: asyncio, uvloop, or one whose loop no table knows.

The loop is running, and its thread is inside one of its callbacks while the calls are made, so that nothing but the
call itself is wrong and none of them can crash.  Each line marked ``# offending: RULE OPERATION`` must be reported, and no other.
"""

import asyncio
import contextlib
import importlib
import os
import socket
import sys
import threading

new_loop = importlib.import_module(sys.argv[1]).new_event_loop

ours, theirs = socket.socketpair()
ours.setblocking(False)


class Things:
    """What belongs to the loop."""

    async def make(self) -> None:
        self.loop = loop = asyncio.get_running_loop()
        self.futures = [loop.create_future() for _ in range(8)]
        self.callback = lambda future: None
        self.futures[4].add_done_callback(self.callback)
        self.task = asyncio.create_task(asyncio.sleep(60))
        self.server = await loop.create_server(asyncio.Protocol, "127.0.0.1", 0)
        address = self.server.sockets[0].getsockname()
        self.transports = [(await loop.create_connection(asyncio.Protocol, *address))[0] for _ in range(5)]
        self.datagrams, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, remote_addr=address)
        self.reader, self.writer = await asyncio.open_connection(*address)
        self.process, _ = await loop.subprocess_exec(asyncio.SubprocessProtocol, "sleep", "60")
        self.pipe, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, os.fdopen(os.pipe()[1], "wb"))
        self.timers = [loop.call_later(60, int), loop.call_soon(int)]
        self.event, self.queue = asyncio.Event(), asyncio.Queue[int]()
        self.lock, self.semaphore = asyncio.Lock(), asyncio.Semaphore(1)
        await self.lock.acquire()
        await self.semaphore.acquire()
        self.event.clear()
        self.queue.put_nowait(0)


def misuse(things: Things) -> None:
    """Runs in a thread of its own."""
    loop, tried = things.loop, lambda: contextlib.suppress(Exception)
    with tried():
        loop.call_soon(int)  # offending: FT101 call_soon
    with tried():
        loop.call_later(60, int)  # offending: FT101 call_later
    with tried():
        loop.call_at(loop.time() + 60, int)  # offending: FT101 call_at
    with tried():
        loop.create_future()  # offending: FT101 create_future
    with tried():
        loop.create_task(asyncio.sleep(0))  # offending: FT101 create_task
    with tried():
        loop.add_reader(ours, int)  # offending: FT101 add_reader
    with tried():
        loop.remove_reader(ours)  # offending: FT101 remove_reader
    with tried():
        loop.add_writer(ours, int)  # offending: FT101 add_writer
    with tried():
        loop.remove_writer(ours)  # offending: FT101 remove_writer
    with tried():
        loop.run_in_executor(None, int)  # offending: FT101 run_in_executor
    with tried():
        loop.set_debug(False)  # offending: FT101 set_debug
    with tried():
        loop.set_exception_handler(None)  # offending: FT101 set_exception_handler
    with tried():
        loop.set_task_factory(None)  # offending: FT101 set_task_factory
    with tried():
        things.futures[0].set_result(None)  # offending: FT102 set_result
    with tried():
        things.futures[1].set_exception(KeyError())  # offending: FT102 set_exception
    with tried():
        things.futures[2].cancel()  # offending: FT102 cancel
    with tried():
        things.futures[3].add_done_callback(id)  # offending: FT102 add_done_callback
    with tried():
        things.futures[4].remove_done_callback(things.callback)  # offending: FT102 remove_done_callback
    with tried():
        things.task.cancel()  # offending: FT103 cancel
    with tried():
        things.task.add_done_callback(id)  # offending: FT103 add_done_callback
    with tried():
        things.task.remove_done_callback(id)  # offending: FT103 remove_done_callback
    transports = things.transports
    with tried():
        transports[0].write(b"x")  # offending: FT105 write
    with tried():
        transports[0].writelines([b"x"])  # offending: FT105 writelines
    with tried():
        transports[0].pause_reading()  # offending: FT105 pause_reading
    with tried():
        transports[0].resume_reading()  # offending: FT105 resume_reading
    with tried():
        transports[0].set_protocol(asyncio.Protocol())  # offending: FT105 set_protocol
    with tried():
        transports[0].set_write_buffer_limits(1)  # offending: FT105 set_write_buffer_limits
    with tried():
        transports[1].write_eof()  # offending: FT105 write_eof
    with tried():
        transports[2].close()  # offending: FT105 close
    with tried():
        transports[3].abort()  # offending: FT105 abort
    with tried():
        things.datagrams.sendto(b"x")  # offending: FT105 sendto
    with tried():
        things.process.terminate()  # offending: FT105 terminate
    with tried():
        things.pipe.write(b"x")  # offending: FT105 write
    with tried():
        things.writer.write(b"x")  # offending: FT105 write
    with tried():
        things.reader.feed_data(b"x")  # offending: FT105 feed_data
    with tried():
        things.server.close()  # offending: FT105 close
    with tried():
        things.event.set()  # offending: FT106 set
    with tried():
        things.queue.put_nowait(1)  # offending: FT106 put_nowait
    with tried():
        things.queue.get_nowait()  # offending: FT106 get_nowait
    with tried():
        things.lock.release()  # offending: FT106 release
    with tried():
        things.semaphore.release()  # offending: FT106 release
    for timer in things.timers:
        with tried():
            timer.cancel()  # offending: FT107 cancel
    with tried():
        loop.run_forever()  # offending: FT109 run_forever
    with tried():
        loop.run_until_complete(things.futures[5])  # offending: FT109 run_until_complete
    with tried():
        loop.close()  # offending: FT109 close
    with tried():
        loop.stop()  # offending: FT101 stop


async def foreign(things: Things) -> None:
    """Runs in another loop."""
    loop, soon = things.loop, lambda: asyncio.timeout(0.05)
    with contextlib.suppress(Exception):
        async with soon():
            await things.futures[6]  # offending: FT104 await
    with contextlib.suppress(Exception):
        async with soon():
            await loop.getaddrinfo("127.0.0.1", 1)  # offending: FT101 getaddrinfo
    with contextlib.suppress(Exception):
        async with soon():
            await loop.sock_recv(theirs, 1)  # offending: FT101 sock_recv
    with contextlib.suppress(Exception):
        async with soon():
            await loop.create_connection(asyncio.Protocol, "127.0.0.1", 1)  # offending: FT101 create_connection


def meanwhile(things: Things) -> None:
    for run in (lambda: asyncio.run(foreign(things)), lambda: misuse(things)):
        thread = threading.Thread(target=run)
        thread.start()
        thread.join()


async def main() -> None:
    things = Things()
    await things.make()
    meanwhile(things)


theirs.setblocking(False)
loop = new_loop()
with contextlib.suppress(RuntimeError):  # stopped before main() was done, which is only right
    loop.run_until_complete(main())
print("ok")
