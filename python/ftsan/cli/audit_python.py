"""``ftsan audit``: state of modules written in Python that their functions change, found without running anything."""

import ast
from collections.abc import Iterator
from typing import Any

#: The makers of things that can be changed.
CONTAINERS = {
    "dict",
    "list",
    "set",
    "bytearray",
    "defaultdict",
    "OrderedDict",
    "Counter",
    "deque",
    "WeakKeyDictionary",
    "WeakValueDictionary",
    "WeakSet",
}
#: The methods that change them.
CHANGES = {
    "add",
    "append",
    "appendleft",
    "clear",
    "discard",
    "extend",
    "insert",
    "pop",
    "popitem",
    "popleft",
    "remove",
    "reverse",
    "setdefault",
    "sort",
    "update",
}

type Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


def _is_container(value: ast.expr | None) -> bool:
    match value:
        case ast.Dict() | ast.List() | ast.Set() | ast.DictComp() | ast.ListComp() | ast.SetComp():
            return True
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
            return name in CONTAINERS
        case _:
            return False


def _containers(tree: ast.Module) -> dict[str, int]:
    """Variables of the module that are containers, with their lines."""
    found = {}
    for statement in tree.body:
        match statement:
            case ast.Assign(targets=targets, value=value) if _is_container(value):
                found.update({target.id: statement.lineno for target in targets if isinstance(target, ast.Name)})
            case ast.AnnAssign(target=ast.Name(id=name), value=value) if _is_container(value):
                found[name] = statement.lineno
            case _:
                pass
    return found


def _functions(node: ast.AST, prefix: str = "") -> Iterator[tuple[str, Function]]:
    """All functions that are not inside of another one."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield prefix + child.name, child
        elif isinstance(child, ast.ClassDef):
            yield from _functions(child, f"{prefix}{child.name}.")
        else:
            yield from _functions(child, prefix)


def _local(function: Function) -> set[str]:
    """Names that are the function's own."""
    arguments = function.args
    names = {one.arg for one in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)}
    names |= {one.arg for one in (arguments.vararg, arguments.kwarg) if one}
    nodes = list(ast.walk(function))
    names |= {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return names - _global(function)


def _global(function: Function) -> set[str]:
    return {name for node in ast.walk(function) if isinstance(node, ast.Global) for name in node.names}


def _written(function: Function) -> set[str]:
    """Names of what is changed in place, or bound anew as a global variable."""
    names = set()
    for node in ast.walk(function):
        match node:
            case ast.Subscript(value=ast.Name(id=name), ctx=ast.Store() | ast.Del()):
                names.add(name)
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=method)) if method in CHANGES:
                names.add(name)
            case _:
                pass
    bound = {node.id for node in ast.walk(function) if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)}
    return (names - _local(function)) | (bound & _global(function))


def shared_state(source: str) -> list[dict[str, Any]]:
    """Variables of a module that its functions change: name, line (0 where the module does not set it) and functions, by line.

    :raises SyntaxError: this is no Python.
    """
    tree = ast.parse(source)
    containers = _containers(tree)
    lines = {
        target.id: statement.lineno
        for statement in tree.body
        if isinstance(statement, ast.Assign | ast.AnnAssign)
        for target in (statement.targets if isinstance(statement, ast.Assign) else [statement.target])
        if isinstance(target, ast.Name)
    }
    writers: dict[str, list[str]] = {}
    for name, function in _functions(tree):
        for variable in _written(function):
            if variable in containers or variable in _global(function):
                writers.setdefault(variable, []).append(name)
    found = [{"name": name, "line": lines.get(name, 0), "written_by": functions} for name, functions in writers.items()]
    return sorted(found, key=lambda one: one["line"])
