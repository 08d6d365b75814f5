"""New elements of a list or a deque are numbered by how much there is in it: two threads give the same number."""

from collections import deque

from ftsan.testing import in_turns


class Task:
    def __init__(self, number: int, name: str) -> None:
        self.number, self.name = number, name


users: list[dict[str, object]] = []
tasks: list[Task] = []
plans: list[Task] = []
events: deque[tuple[int, str]] = deque()
labels: list[str] = []


def add_user(name: str) -> None:
    users.append({"id": len(users) + 1, "name": name})  # race: users


def add_task(name: str) -> Task:
    number = len(tasks) + 1  # maybe: tasks
    task = Task(number, name)
    tasks.append(task)  # race: tasks
    return task


def plan(name: str) -> None:
    plans.append(Task(len(plans) + 1, name))  # race: plans


def add_event(name: str) -> None:
    events.append((len(events), name))  # race: events


def add_label() -> str:
    label = f"job-{len(labels)}"  # maybe: labels
    labels.append(label)  # race: labels
    return label


def work() -> None:
    add_user("a")
    add_task("b")
    plan("e")
    add_event("c")
    add_label()


in_turns(work, work)
