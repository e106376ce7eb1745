"""Mutation testing: change the code a little, in one place at a time, and see whether a test notices.

    python tools/mutation.py PART...       # loader, tree, resolve, rules, more; without a name: all
    python tools/mutation.py tree --again  # only what was not killed the last time, and what is new
    python tools/mutation.py --table       # the table of docs/trust.md, from the last results

mutmut makes the mutants and the trampolines that switch one on; `mutation_worker.py` runs the tests. Both work in a
copy, `.mutation/PART/`. Mutants that no test notices and none needs to are listed in tests/mutation/survivors.toml,
each with its reason; the exit code is 1 where others survive.
"""

from __future__ import annotations

import argparse
import ast
import difflib
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
PLACE = ROOT / ".mutation"
SURVIVORS = ROOT / "tests" / "mutation" / "survivors.toml"


class Part(NamedTuple):
    """Some modules, and the tests that judge them: files of fast ones; slow ones by the beginnings of their names."""

    modules: tuple[str, ...]
    tests: tuple[str, ...]
    slow: tuple[str, ...] = ()


PARTS = {
    "loader": Part(
        ("composer", "reader", "marks", "scalars", "source", "layers"),
        ("reader", "reader_words", "source", "goldens", "sealed_files"),
        ("yaml_suite", "fuzz.py::test_every_seed_is_judged_well[reader]"),
    ),
    "tree": Part(("tree/*",), ("tree",)),
    "resolve": Part(
        ("resolve/*",),
        ("resolve", "goldens", "releases", "sealed_files", "secret_references"),
    ),
    "gates": Part(
        tuple(
            f"rules/{name}"
            for name in ("grants", "security", "secrets", "hub_values", "hub_code", "hub_keys", "sealed")
        ),
        ("rules", "grants", "secret_references", "security_rules", "goldens", "gitops", "hub_values", "sealed_files"),
    ),
    "rules": Part(
        (
            *(
                f"rules/{name}"
                for name in ("__init__", "demo", "gitops", "kubeconform", "manifests", "names", "order", "outputs")
            ),
            "rules/schema",
            "rules/schema_error",
            "rules/cluster/*",
        ),
        ("rules", "name_rules", "manifest_rules", "goldens", "gitops", "cluster_rules", "schemas", "kubeconform"),
        ("kubeconform.py::test_a_tool_that",),
    ),
    "more": Part(("emit", "leaks", "edit/splice"), ("emit", "leaks", "edit", "canary", "set")),
}

MADE = "mutmut 3.8.1, 1 "
"""What mutants are kept under, beside their module's text: to be raised when they are made in another way."""

LENT = ("tests/js/node_modules",)
"""What is installed, and the tests read: the copy links to it."""

DECORATORS = {"property", "contextmanager", "cache"}
"""What mutmut leaves alone; here it is applied by hand, below its function."""


def main() -> int:
    """Try the parts that are named; print what is not explained."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    asked.add_argument("--again", action="store_true", help="only what was not killed the last time")
    asked.add_argument("--new", action="store_true", help="only what was never tried")
    asked.add_argument("--together", action="store_true", help="the parts in one session, to run the tests once less")
    asked.add_argument("--children", type=int, default=os.cpu_count() or 1, help="how many at a time")
    asked.add_argument("--budget", type=float, default=1e9, help="seconds of tests for each mutant, at most")
    asked.add_argument("--every", type=int, default=1, metavar="N", help="a sample: one mutant in N, always the same")
    asked.add_argument("--only", default="", help="a regular expression for names of functions")
    asked.add_argument("--table", action="store_true", help="print the table, try nothing")
    options = asked.parse_args()
    parts = options.parts or list(PARTS)
    if unknown := sorted(set(parts) - set(PARTS)):
        asked.error(f"no such part: {', '.join(unknown)}")
    if not options.table:
        for group in [parts] if options.together else [[part] for part in parts]:
            attempt(group, options)
    return told(parts)


# --- the copy and its mutants ----------------------------------------------------------------------------------------


def attempt(parts: list[str], options: argparse.Namespace) -> None:
    """Copy the project, write the mutants of some parts, run the tests against each."""
    name = "+".join(parts)
    copy, raw, place = PLACE / name, PLACE / f"{name}.jsonl", PLACE / f"{name}.task.json"
    copied(copy)
    raw.unlink(missing_ok=True)
    mutants = {part: [mutant for path in paths(part) for mutant in written(copy, path)] for part in parts}
    wanted = [mutant for part in parts for mutant in chosen(mutants[part], results(part), options)]
    wanted.sort(key=digest)  # a run that is stopped has tried a fair sample
    task = {
        "children": options.children,
        "budget": options.budget,
        "files": [path.as_posix() for part in parts for path in paths(part)],
        "mutants": wanted,
        "results": str(raw),
        "survey": str(PLACE / f"{name}.survey.json"),
        "digest": of_files(copy),
        "slow": [f"tests/test_{name}" for part in parts for name in PARTS[part].slow],
    }
    place.write_text(json.dumps(task), encoding="utf-8")
    print(f"{name}: {sum(map(len, mutants.values()))} mutants, {len(wanted)} to try", flush=True)
    run_tests(copy, place, files_of_tests(parts))
    for part in parts:
        remember(part, mutants[part], results(part), raw)


def chosen(
    mutants: list[dict[str, Any]], known: dict[str, dict[str, Any]], options: argparse.Namespace
) -> list[dict[str, Any]]:
    """Return the mutants that the options ask for."""
    settled = {"killed", "timeout"} if options.again or options.new else set()
    settled |= {"survived", "no tests"} if options.new else set()
    done = {key for key, result in known.items() if result["status"] in settled}
    return [
        m
        for m in mutants
        if key_of(m) not in done and re.search(options.only, m["function"]) and drawn(m, options.every)
    ]


def files_of_tests(parts: list[str]) -> list[str]:
    """Return the files that hold the tests of some parts."""
    slow = (name.partition(".py")[0] for part in parts for name in PARTS[part].slow)
    names = dict.fromkeys([*(name for part in parts for name in PARTS[part].tests), *slow])
    return [f"tests/test_{name}.py" for name in names]


def run_tests(copy: Path, task: Path, tests: list[str]) -> None:
    """Start pytest in the copy, with the plugin that does the work, and without what only costs time."""
    command = [sys.executable, "-m", "pytest", "-o", "addopts=", "-q", "-p", "mutation_worker"]
    command += ["-s", "--assert=plain", "--tb=no", "-m", "not cluster"]
    command += [word for name in ("cacheprovider", "xdist", "logging", "warnings") for word in ("-p", f"no:{name}")]
    environment = os.environ | {
        "MUTATION_TASK": str(task),
        "PYTHONPATH": os.pathsep.join([str(copy), str(copy / "tools")]),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    environment.pop("CI", None)
    subprocess.run([*command, *tests], cwd=copy, env=environment, check=False)


def copied(copy: Path) -> None:
    """Make a fresh copy of what git knows or could know."""
    shutil.rmtree(copy, ignore_errors=True)
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    for name in filter(None, listed.split("\0")):
        source, target = ROOT / name, copy / name
        if source.is_file() and not source.is_symlink():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
    (copy / ".git").mkdir()  # what stands above is not its repository
    for name in LENT:
        if (ROOT / name).exists():
            (copy / name).symlink_to((ROOT / name).resolve())


def of_files(copy: Path) -> str:
    """Return a digest of the code and the tests."""
    files = sorted(path for folder in ("jhecfg", "tests") for path in (copy / folder).rglob("*") if path.is_file())
    return sha256(b"".join(path.as_posix().encode() + path.read_bytes() for path in files)).hexdigest()


def paths(part: str) -> list[Path]:
    """Return a part's modules, relative to the project."""
    found = [path for name in PARTS[part].modules for path in sorted((ROOT / "jhecfg").glob(f"{name}.py"))]
    return [path.relative_to(ROOT) for path in found]


def written(copy: Path, path: Path) -> list[dict[str, Any]]:
    """Write a module with all its mutants into the copy; return what each changes."""
    text = (ROOT / path).read_text(encoding="utf-8")
    known = PLACE / "made" / f"{sha256(f'{MADE}{text}'.encode()).hexdigest()}.json"
    if not known.exists():  # to make them takes longer than to try some
        known.parent.mkdir(parents=True, exist_ok=True)
        known.write_text(json.dumps(made(path, text)), encoding="utf-8")
    code, mutants = json.loads(known.read_text(encoding="utf-8"))
    (copy / path).write_text(code, encoding="utf-8")
    return list(mutants)


def made(path: Path, text: str) -> tuple[str, list[dict[str, Any]]]:
    """Return a module that holds all its mutants, and what each of them changes."""
    from mutmut.mutation.file_mutation import mutate_file_contents

    whole = mutate_file_contents(str(path), undecorated(text))
    seen: Counter[str] = Counter()
    mutants = []
    for mutant in described(path, whole):
        old, new = mutant["was"], mutant["now"]
        if old.lower() == new.lower():  # of the three things that mutmut does to a text, one is enough
            continue
        seen[key_of(mutant)] += 1
        mutants.append(mutant | {"nth": seen[key_of(mutant)]})
    return whole.code, mutants


def described(path: Path, made: Any) -> Iterator[dict[str, Any]]:
    """Yield, for each mutant of a module, its name, what it changes, and where that is."""
    lines = made.code.splitlines()
    statements = {name: statement_lines(lines, span) for name, span in made.line_span_by_function_name.items()}
    module = ".".join(path.with_suffix("").parts).removesuffix(".__init__")
    for name in made.mutant_names:
        function = name.partition("__mutmut_")[0]
        span, other = (made.line_span_by_function_name[each] for each in (f"{function}__mutmut_orig", name))
        old = [line.replace(f"{function}__mutmut_orig", function) for line in lines[span.start - 1 : span.end]]
        new = [line.replace(name, function) for line in lines[other.start - 1 : other.end]]
        was, now, changed = change(old, new)
        of = statements[f"{function}__mutmut_orig"]
        yield {
            "name": f"{module}.{name}",
            "file": path.as_posix(),
            "function": f"{module}.{function.removeprefix('x_').removeprefix('xǁ').replace('ǁ', '.')}",
            "was": was,
            "now": now,
            "lines": sorted({line for place in changed for line in of.get(span.start + place, [span.start + place])}),
            "span": [span.start, span.end + 1],
        }


def undecorated(text: str) -> str:
    """Return a module whose known decorators are applied below their functions, since mutmut skips decorated ones."""
    lines = text.splitlines()
    for node in sorted(ast.walk(ast.parse(text)), key=lambda n: -getattr(n, "lineno", 0)):
        if not isinstance(node, ast.FunctionDef) or len(node.decorator_list) != 1:
            continue
        decorator = ast.unparse(node.decorator_list[0])
        if decorator in DECORATORS or decorator.startswith("lru_cache("):
            place = node.decorator_list[0].lineno - 1
            indent = lines[place][: len(lines[place]) - len(lines[place].lstrip())]
            lines.insert(node.end_lineno or 0, f"{indent}{node.name} = {decorator}({node.name})")
            lines[place] = ""
    return "\n".join(lines) + "\n"


def statement_lines(lines: list[str], span: Any) -> dict[int, range]:
    """Return, for each line of a function in a module, the lines of the statement that it belongs to."""
    import textwrap

    text = textwrap.dedent("\n".join(lines[span.start - 1 : span.end]))
    found: dict[int, range] = {}
    for node in ast.walk(ast.parse(text)):  # outer ones first
        if isinstance(node, ast.stmt):
            body = getattr(node, "body", None)
            last = body[0].lineno - 1 if body else node.end_lineno or node.lineno
            here = range(span.start + node.lineno - 1, span.start + max(last, node.lineno))
            found |= dict.fromkeys(here, here)
    return found


def change(old: list[str], new: list[str]) -> tuple[str, str, list[int]]:
    """Return the lines that differ, before and after, and where they are."""
    was, now, places = [], [], []
    for tag, begin, end, first, last in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag != "equal":
            was += old[begin:end]
            now += new[first:last]
            places += range(begin, max(end, begin + 1))
    return "\n".join(map(str.strip, was)), "\n".join(map(str.strip, now)), places


# --- results ---------------------------------------------------------------------------------------------------------


def key_of(mutant: dict[str, Any]) -> str:
    """Return what a mutant is, whatever its number: the function, the lines, and what became of them."""
    return json.dumps([mutant["function"], mutant["was"], mutant["now"], mutant.get("nth", 1)])


def digest(mutant: dict[str, Any]) -> str:
    """Return a digest of what a mutant is."""
    return sha256(key_of(mutant).encode()).hexdigest()


def drawn(mutant: dict[str, Any], every: int) -> bool:
    """Say whether a mutant is in the sample of one in so many: its own digest decides, so another change moves none."""
    return int(digest(mutant), 16) % every == 0


def results(part: str) -> dict[str, dict[str, Any]]:
    """Return the last results of a part, by key."""
    place = PLACE / f"{part}.json"
    if not place.exists():
        return {}
    return {key_of(result): result for result in json.loads(place.read_text(encoding="utf-8"))}


def remember(part: str, mutants: list[dict[str, Any]], known: dict[str, dict[str, Any]], raw: Path) -> None:
    """Put fresh results beside those that stand from before, and keep them."""
    lines = raw.read_text(encoding="utf-8").splitlines() if raw.exists() else []
    fresh = {line["name"]: line for line in map(json.loads, lines)}
    kept = []
    for mutant in mutants:
        result = fresh.get(mutant["name"]) or known.get(key_of(mutant), {"status": "not tried"})
        kept.append({key: mutant[key] for key in ("file", "function", "was", "now", "nth")} | {
            key: result[key] for key in ("status", "killer", "tests", "seconds") if key in result
        })  # fmt: skip
    (PLACE / f"{part}.json").write_text(json.dumps(kept, indent=1), encoding="utf-8")


def told(parts: list[str]) -> int:
    """Print the table, and what survives without a reason."""
    reasons = explained()
    print("| part | mutants | tried | killed | timeout | survive, with a reason | without | score |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    open_: list[dict[str, Any]] = []
    for part in parts:
        found = list(results(part).values())
        count = Counter(result["status"] for result in found)
        alive = [result for result in found if result["status"] in ("survived", "no tests")]
        without = [result for result in alive if not any(fits(reason, result) for reason in reasons)]
        open_ += without
        dead, tried = count["killed"] + count["timeout"], len(found) - count["not tried"]
        score = f"{100 * dead / tried:.1f} %" if tried else ""
        numbers = [len(found), tried, count["killed"], count["timeout"], len(alive) - len(without), len(without), score]
        print("| " + " | ".join(map(str, [part, *numbers])) + " |")
    for result in open_:
        print(f"\n{result['status']}: {result['function']}")
        print("  - " + result["was"].replace("\n", "\n  - "))
        print("  + " + result["now"].replace("\n", "\n  + "))
    return 1 if open_ else 0


def explained() -> list[dict[str, Any]]:
    """Return the mutants that need not be killed: a function, and, to be exact, a line and what became of it."""
    return list(tomllib.loads(SURVIVORS.read_text(encoding="utf-8"))["survivor"])


def fits(reason: dict[str, Any], result: dict[str, Any]) -> bool:
    """Say whether a reason is about this mutant; without `now` it is about all of its line, without `was` of all."""
    was, now = (re.sub(r"\bdef x(?:ǁ\w+ǁ|_)", "def ", result[key]) for key in ("was", "now"))  # as mutmut calls it
    return (
        reason["function"] == result["function"] and reason.get("was", was) == was and now in reason.get("now", [now])
    )


if __name__ == "__main__":
    sys.exit(main())
