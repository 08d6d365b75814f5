"""Each thread makes, changes and drops objects of its own, of many kinds: dataclasses, enums, named tuples, copies."""

import copy
import threading
from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import NamedTuple

Color = Enum("Color", "RED BLUE")


class Point(NamedTuple):
    x: int = 0


@dataclass
class Job:
    color: Color = Color(1)  # noqa: RUF009
    tries: int = 0
    log: list[Point] = field(default_factory=list)


def worker() -> None:
    counter, groups = Counter("a"), defaultdict(list)
    for number in range(100):
        job = copy.deepcopy(copy.copy(template))
        job.log.append(Point(number)._replace(x=2))
        job = replace(job, color=Color(2))
        counter[job.color.name] += 1
        groups[number].append(job)
    assert counter["BLUE"]


template = Job(log=[Point(1)])
threads = [threading.Thread(target=worker) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
