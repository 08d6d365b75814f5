"""A memory stream of anyio, made before the loop runs, is filled by a thread, which notices nothing."""

import threading

import anyio

send, receive = anyio.create_memory_object_stream[int](10)


def worker() -> None:
    send.send_nowait(2)  # offending: send_nowait


async def main() -> None:
    send.send_nowait(1)
    assert await receive.receive() == 1
    thread = threading.Thread(target=worker)
    thread.start()  # owner
    thread.join()  # owner


anyio.run(main)
send.close()
receive.close()
