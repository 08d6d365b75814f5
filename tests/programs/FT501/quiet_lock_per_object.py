"""Each object has its lock, parents are locked before children, and equals in the order of their numbers."""

import threading


class Node:
    def __init__(self, number: int, children: list[Node]) -> None:
        self.number, self.children, self.visits = number, children, 0
        self.lock = threading.RLock()

    def visit(self) -> None:
        with self.lock:
            self.visits += 1
            for child in self.children:
                child.visit()


def swap(one: Node, other: Node) -> None:
    low, high = sorted((one, other), key=lambda node: node.number)
    with low.lock, high.lock:
        one.visits, other.visits = other.visits, one.visits


leaves = [Node(number, []) for number in range(10)]
middle = [Node(10 + number, leaves[number * 2 : number * 2 + 2]) for number in range(5)]
root = Node(20, middle)


def work(seed: int) -> None:
    for turn in range(30):
        root.visit()
        swap(leaves[(seed + turn) % 10], leaves[(seed * 3 + turn * 7) % 10])


threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
