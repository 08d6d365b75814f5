"""A test client drives an application in a portal's thread and closes the streams that they share when its calls have returned."""

import contextlib

import anyio
import anyio.from_thread


async def application(receive: anyio.abc.ObjectReceiveStream[str], send: anyio.abc.ObjectSendStream[str]) -> None:
    while (request := await receive.receive()) != "stop":
        await send.send(request.upper())


with contextlib.ExitStack() as stack:
    portal = stack.enter_context(anyio.from_thread.start_blocking_portal())
    requests, received = anyio.create_memory_object_stream[str](10)
    sent, answers = portal.call(anyio.create_memory_object_stream[str], 10)
    for stream in (requests, received, sent, answers):
        stack.callback(stream.close)
    task = portal.start_task_soon(application, received, sent)
    portal.call(requests.send, "question")
    assert portal.call(answers.receive) == "QUESTION"
    portal.call(requests.send, "stop")
    task.result()
