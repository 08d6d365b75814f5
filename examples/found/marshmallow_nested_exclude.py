"""marshmallow 4.4.0: fields that a nested schema excludes get out while another thread uses the schema for the first time.

    pip install marshmallow==4.4.0
    ftsan run --races marshmallow marshmallow_nested_exclude.py

``Nested.schema`` copies the schema that it was given, stores the copy in ``self._schema``, and only then takes away what is
excluded.  A thread that comes in between finds ``_schema`` set, and uses it as it is.

WRONG: 20 of 20
AT: marshmallow/fields.py:Nested.schema
KNOWN: not found in its tracker
"""

import threading

from marshmallow import Schema, fields

ROUNDS = 200
THREADS = 4


class User(Schema):
    name = fields.String()
    password = fields.String()


class Article(Schema):
    author = fields.Nested(User(), exclude=("password",))


leaked: list[object] = []
start = threading.Barrier(THREADS)


def dump(schema: Schema) -> None:
    start.wait()
    author = schema.dump({"author": {"name": "ada", "password": "secret"}})["author"]
    if "password" in author:
        leaked.append(author)


for _ in range(ROUNDS):
    article = Article()
    threads = [threading.Thread(target=dump, args=(article,)) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
print(f"{len(leaked)} times in {ROUNDS} rounds{f', like {leaked[0]}' if leaked else ''}")
raise SystemExit(bool(leaked))
