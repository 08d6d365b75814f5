"""Offsets of frames: running, suspended, finished."""

import asyncio
import sys


class Node:
    def __init__(self):
        self.value = 1
        self.children = []


def here(node):
    offsets = [node.value, sys._getframe().f_lasti]
    offsets.append(sys._getframe().f_lasti)
    node.children.append((node.value, sys._getframe().f_lasti, sys._getframe().f_lineno))
    return offsets, called(node), node.children


def called(node):
    node.value = sys._getframe(1).f_lasti
    return node.value, sys._getframe(1).f_lineno


def generator(node):
    node.value += 1
    sent = yield node.value
    try:
        node.value = yield from inner(node, sent)
    finally:
        node.children.clear()


def inner(node, sent):
    node.value = sent
    yield node.value
    return node.value


async def coroutine(node):
    node.value = await asyncio.sleep(0, node.value)
    async for value in asynchronous(node):
        node.value = value
    return node.value


async def asynchronous(node):
    node.value += 1
    yield node.value
    await asyncio.sleep(0, node.value)
    yield node.value


print(here(Node()))
lazy = generator(Node())
print(lazy.gi_frame.f_lasti)
for value in (None, 5, 6, 7):
    try:
        lazy.send(value)
    except StopIteration:
        print(lazy.gi_frame)
        break
    print(lazy.gi_frame.f_lasti, lazy.gi_frame.f_lineno, lazy.gi_yieldfrom and lazy.gi_yieldfrom.gi_frame.f_lasti)


async def watch():
    task = asyncio.create_task(coroutine(Node()))
    while not task.done():
        await asyncio.sleep(0)
        for frame in task.get_stack():
            print(frame.f_code.co_name, frame.f_lasti, frame.f_lineno)
    print(task.result())


asyncio.run(watch())
