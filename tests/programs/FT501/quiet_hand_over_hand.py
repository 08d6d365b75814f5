"""A linked list with a lock in each node: the next one is taken before the last one is released, from one end only."""

import threading


class Node:
    def __init__(self, value: int, next_: Node | None) -> None:
        self.lock = threading.Lock()
        self.value = value
        self.next = next_


head: Node | None = None
for number in range(100):
    head = Node(number, head)
assert head is not None
first = head


def add_one() -> None:
    node = first
    node.lock.acquire()
    while node.next is not None:
        node.value += 1
        following = node.next
        following.lock.acquire()
        node.lock.release()
        node = following
    node.value += 1
    node.lock.release()


threads = [threading.Thread(target=add_one) for _ in range(3)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert first.value == 99 + 3
