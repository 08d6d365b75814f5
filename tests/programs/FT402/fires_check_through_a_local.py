"""The value that is tested is kept in a variable first; the second thread comes too late to act, and would have acted as well."""

from ftsan.testing import in_turns


class Client:
    connection: object = None
    session: object = None
    channel: object = None


client, cache = Client(), dict[str, list[int]]()


def worker() -> None:
    connection = client.connection  # race: none
    if connection is None:
        client.connection = object()  # race: none
    session = client.session  # race: falsy
    if not session:
        client.session = object()  # race: falsy
    known = cache.get("k")  # race: cached
    if known is None:
        cache["k"] = []  # race: cached
    if (channel := client.channel) is not None:  # race: returned
        assert channel
        return
    client.channel = object()  # race: returned


in_turns(worker, worker)
