"""Calls of functions that are watched are specialised as they are without: the interpreter asks for the function's version."""

import asyncio
import dis

SOURCE = """
def clear(event):
    for _ in range(100):
        event.clear()
"""

# As if it were the standard library's, whose code is run as it is.
names = {}
exec(compile(SOURCE, dis.__file__, "exec"), names)


async def main():
    names["clear"](asyncio.Event())


asyncio.run(main())
print([step.opname for step in dis.get_instructions(names["clear"], adaptive=True) if step.opname.startswith("CALL")])
