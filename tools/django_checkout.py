"""What a checkout of a Django application says of itself: its environment, settings rows, migrations. Text alone.

Every file is parsed, none is imported or run: a checkout of any age can be read on any machine.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

# Names of settings that Django itself, or a package that JHE installs, takes from the settings module.
FRAMEWORK = frozenset({
    "ALLOWED_HOSTS", "CSRF_TRUSTED_ORIGINS", "DATABASES", "DEBUG", "EMAIL_HOST", "EMAIL_HOST_PASSWORD",
    "EMAIL_HOST_USER", "EMAIL_PORT", "OAUTH2_PROVIDER", "SECRET_KEY", "TIME_ZONE", "X_FRAME_OPTIONS",
})  # fmt: skip
NOT_OURS = frozenset({"RUN_MAIN", "DJANGO_SETTINGS_MODULE"})
SKIPPED = ("tests", "migrations", "mcp_server", "resources", "scripts", ".venv", "node_modules")


class Variable(NamedTuple):
    """A name read from the environment: its default as written, where, and whether anything comes of it."""

    name: str
    default: str
    place: str
    used: bool


class Operation(NamedTuple):
    """One operation of a migration, with the words that matter to the release before and to the way back."""

    migration: str
    text: str
    deletes: bool = False
    breaks: bool = False
    stops: bool = False
    sticks: bool = False
    one_way: bool = False


class Code(NamedTuple):
    """A parsed Python file, by its path inside the checkout."""

    path: str
    tree: ast.Module


def python_files(checkout: Path, skipped: Iterable[str] = SKIPPED) -> list[Code]:
    """Parse the application's Python files; a folder named in `skipped` is left out at any depth."""
    paths = (path for path in sorted(checkout.rglob("*.py")) if not set(skipped) & {*path.relative_to(checkout).parts})
    return [Code(str(path.relative_to(checkout)), ast.parse(path.read_text(encoding="utf-8"))) for path in paths]


def text(node: ast.AST | None) -> str | None:
    """Return the text of a string constant, or None for anything else."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def called(node: ast.AST) -> str:
    """Return the last name of what a call calls: `getenv` of `os.getenv(…)`."""
    function = node.func if isinstance(node, ast.Call) else None
    return (
        function.attr if isinstance(function, ast.Attribute) else function.id if isinstance(function, ast.Name) else ""
    )


# --- the environment --------------------------------------------------------------------------------------------------


def variables(code: list[Code]) -> list[Variable]:
    """Return what the code reads from the environment, one entry a place."""
    loaded = {name for file in code for name in _loaded(file)}
    return [variable for file in code for variable in _variables(file, loaded)]


def _variables(file: Code, loaded: set[str]) -> Iterator[Variable]:
    for statement in file.tree.body if file.path.endswith("settings.py") else [file.tree]:
        targets = {n.id for n in ast.walk(statement) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        assigned = isinstance(statement, ast.Assign | ast.AnnAssign)
        used = not assigned or bool(targets & (FRAMEWORK | loaded))
        for node in ast.walk(statement):
            name, default = _read(node)
            if name and name not in NOT_OURS:
                yield Variable(name, default, f"{file.path}:{getattr(node, 'lineno', 0)}", used)


def _read(node: ast.AST) -> tuple[str | None, str]:
    """Return the name and the default of `getenv(…)`, `environ.get(…)`, `environ[…]` and `… in environ`."""
    if isinstance(node, ast.Call) and node.args:
        function = ast.unparse(node.func)
        if function.endswith(("getenv", "environ.get")):
            return text(node.args[0]), ast.unparse(node.args[1]) if len(node.args) > 1 else ""
    if (
        isinstance(node, ast.Subscript)
        and isinstance(node.ctx, ast.Load)
        and ast.unparse(node.value).endswith("environ")
    ):
        return text(node.slice), ""
    return None, ""


def _loaded(file: Code) -> Iterator[str]:
    """Yield the names of the settings module that something makes use of."""
    inside = file.path.endswith("settings.py")
    for node in ast.walk(file.tree):
        if inside and isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "settings":
            yield node.attr
        elif called(node) == "getattr" and isinstance(node, ast.Call) and len(node.args) > 1:
            yield text(node.args[1]) or ""


# --- settings rows ----------------------------------------------------------------------------------------------------


def setting_rows(code: list[Code], reader: str, types: Collection[str]) -> tuple[dict[str, str], set[str]]:
    """Return the rows that the code lists as `(key, type, value)`, and the keys that it reads with `reader`."""
    listed: dict[str, str] = {}
    readers = {reader} | {name for file in code for name in _wrappers(file, reader)}
    read: set[str] = set()
    for node in (node for file in code for node in ast.walk(file.tree)):
        if isinstance(node, ast.Tuple) and len(node.elts) == 3:
            key, kind = text(node.elts[0]), text(node.elts[1])
            if key and kind and kind in types:
                listed[key] = kind
        elif isinstance(node, ast.Call) and called(node) in readers and node.args:
            read |= {text(node.args[0]) or ""} - {""}
    return listed, read


def _wrappers(file: Code, reader: str) -> Iterator[str]:
    """Yield the functions that hand their first argument on to `reader`."""
    for function in ast.walk(file.tree):
        if isinstance(function, ast.FunctionDef) and function.args.args:
            first = function.args.args[0].arg
            calls = (node for node in ast.walk(function) if isinstance(node, ast.Call) and called(node) == reader)
            if any(call.args and isinstance(call.args[0], ast.Name) and call.args[0].id == first for call in calls):
                yield function.name


# --- migrations -------------------------------------------------------------------------------------------------------


def migrations(folder: Path) -> list[str]:
    """Return the names of the migrations in a folder, in order."""
    return sorted(path.stem for path in folder.glob("[0-9]*.py"))


def operations(folder: Path) -> list[Operation]:
    """Return the operations of all migrations in a folder, in order."""
    nullable: dict[tuple[str, str], bool] = {}
    return [
        operation
        for name in migrations(folder)
        for call in _operation_calls(ast.parse((folder / f"{name}.py").read_text(encoding="utf-8")))
        for operation in _operation(name, call, nullable)
    ]


def _operation_calls(tree: ast.Module) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.List) and _is_operations(node):
            yield from (element for element in node.value.elts if isinstance(element, ast.Call))


def _is_operations(node: ast.Assign) -> bool:
    return any(isinstance(target, ast.Name) and target.id == "operations" for target in node.targets)


def _operation(migration: str, call: ast.Call, nullable: dict[tuple[str, str], bool]) -> Iterator[Operation]:
    kind, words = called(call), {keyword.arg: keyword.value for keyword in call.keywords}
    model = (text(words.get("model_name")) or "").lower()
    name = text(words.get("name")) or text(words.get("old_name")) or text(call.args[0] if call.args else None) or ""
    said = f"{kind} {model}.{name}" if model else f"{kind} {name}".strip()
    if kind in ("RemoveField", "DeleteModel"):
        yield Operation(migration, said, deletes=True, breaks=True)
    elif kind in ("RenameField", "RenameModel"):
        nullable[(model, text(words.get("new_name")) or "")] = nullable.get((model, name), False)
        yield Operation(migration, said, breaks=True)
    elif kind == "CreateModel":
        nullable |= {(name.lower(), field): null for field, null in _fields(words.get("fields"))}
        yield Operation(migration, said)
    elif kind in ("AddField", "AlterField"):
        before, after = nullable.get((model, name)), _null(words.get("field"))
        nullable[(model, name)] = after
        narrowed = kind == "AlterField" and before is True and not after
        widened = kind == "AlterField" and before is False and after
        needs = kind == "AddField" and not after and not _database_default(words.get("field"))
        words_of = " (not null)" if needs or narrowed else " (null)" if widened else ""
        yield Operation(migration, said + words_of, breaks=needs or narrowed, stops=narrowed, sticks=widened)
    elif kind == "AddConstraint":
        constraint = words.get("constraint") or call.args[-1]
        yield Operation(migration, f"{kind} {model}: {ast.unparse(constraint)}", stops=True)
    elif kind in ("RunPython", "RunSQL"):
        one_way = len(call.args) < 2 and not {"reverse_code", "reverse_sql"} & words.keys()
        what = ast.unparse(words.get("sql") or words.get("code") or call.args[0])
        drops = kind == "RunSQL" and "DROP " in what.upper()
        yield Operation(migration, f"{kind} {what}", deletes=drops, breaks=drops, one_way=one_way)
    else:
        yield Operation(migration, said)


def _fields(node: ast.AST | None) -> Iterator[tuple[str, bool]]:
    for element in node.elts if isinstance(node, ast.List) else []:
        if isinstance(element, ast.Tuple):
            yield text(element.elts[0]) or "", _null(element.elts[1])


def _null(field: ast.AST | None) -> bool:
    """Say whether a field's column takes NULL; a many-to-many field has no column."""
    null = next((k.value for k in getattr(field, "keywords", ()) if k.arg == "null"), None)
    return (isinstance(null, ast.Constant) and null.value is True) or (
        field is not None and called(field) == "ManyToManyField"
    )


def _database_default(field: ast.AST | None) -> bool:
    return any(keyword.arg == "db_default" for keyword in getattr(field, "keywords", ()))
