"""Sweep: each command that writes, broken at each step with each fault; then the next command."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from tests import tree_driver
from tests.faults import trace
from tests.faults.place import (
    DESCRIPTION,
    FOREIGN,
    RDS_SPEC,
    SECOND,
    SPEC,
    THIRD,
    WARM,
    Said,
    Snapshot,
    command,
    copied,
    differences,
    environment,
    fresh,
    go,
    put,
    run_all,
    snapshot,
    state,
    store_values,
    warm,
)
from tests.unsealing import AGE

ALL = ("kill", "half", *trace.ERRNOS, *trace.SIGNALS)


class Case(NamedTuple):
    """One case: what was broken, how and where; the state that it left; what the next command made of it.

    `wrong` says what should not be, and is empty where all is as it should be.
    """

    scene: str
    fault: str
    at: int
    step: str
    code: int
    state: str
    then: str
    wrong: str = ""


Judge = Callable[[Path, Snapshot, Snapshot], str]


class Scene(NamedTuple):
    """A command and the place in which it runs.

    `prepare` makes the place. `words` is the command that is broken, and by default what is run next; `then` is what
    runs next instead, after `between` changed the place. `judge` names the state that was left; `settled` says what is
    wrong at the end, given the place, the place before, and the one that an unbroken run leaves.
    """

    name: str
    prepare: Callable[[Path], None]
    words: tuple[str, ...]
    then: tuple[str, ...] = ()
    between: Callable[[Path], None] = lambda place: None
    judge: Judge = lambda place, before, after: state(before, after, snapshot(place))
    settled: Judge = lambda place, before, after: ", ".join(differences(after, snapshot(place)))
    faults: tuple[str, ...] = ALL
    check: bool = True


# --- builds -----------------------------------------------------------------------------------------------------------


def _new(place: Path) -> None:
    put(place, {"specs/lab.yaml": SPEC.encode(), **{p: d for p, d in FOREIGN.items() if "hubs/" not in p}})


def _alone(place: Path) -> None:
    put(place, {"specs/lab.yaml": SPEC.encode(), **{p: d for p, d in FOREIGN.items() if "out/lab/" not in p}})


def _whole_or_nothing(place: Path, before: Snapshot, after: Snapshot) -> str:
    now = snapshot(place)
    there, whole = ({path for path in each if path.startswith("out/lab")} for each in (now, after))
    return state(before, after, now) if there in (set(), whole) else "wrong: half of a new site"


def _built(place: Path) -> None:
    put(place, {"specs/lab.yaml": SPEC.encode(), **FOREIGN})
    run_all(place, [["build"]])
    put(place, {"specs/lab.yaml": SECOND.encode()})


def _third(place: Path) -> None:
    put(place, {"specs/lab.yaml": THIRD.encode()})


def _edited(place: Path) -> None:
    _built(place)
    put(
        place,
        {
            "out/lab/manifests/20-config/namespace.yaml": b"edited: by hand\n",
            "out/lab/hubs/other/values.yaml": b"foreign\n",
        },
    )


def _two(place: Path) -> None:
    another = SECOND.replace("site: lab", "site: second").replace("example.org", "second.example.org")
    put(place, {"specs/lab.yaml": SPEC.encode(), "specs/second.yaml": another.encode(), **FOREIGN})
    put(place, {f"specs/more-{n:02}.yaml": _small(n) for n in range(21)})
    run_all(place, [["build"]])
    put(
        place, {"specs/lab.yaml": SECOND.encode(), "specs/second.yaml": another.replace("Generation 2", "G 4").encode()}
    )


def _small(number: int) -> bytes:
    return (
        f"apiVersion: jhecfg/v1\nsite: more-{number}\ndomain: jhe{number}.example.org\ncontact: ops@example.org\n"
        "image: {tag: v0.0.13}\ndatabase: {host: db.abc123.us-east-2.rds.amazonaws.com}\n"
    ).encode()


# --- specs ------------------------------------------------------------------------------------------------------------


def _spec(place: Path) -> None:
    put(place, {"specs/lab.yaml": SPEC.encode(), "NOTES.md": b"mine\n", "specs/.hidden.yaml": b"mine: hidden\n"})


def _rds(place: Path) -> None:
    put(place, {"specs/lab.yaml": RDS_SPEC.encode(), "stack.json": DESCRIPTION})


def _nothing(place: Path) -> None:
    put(place, {"NOTES.md": b"mine\n"})


INIT = (
    "init", "specs/lab.yaml", "--yes", "--domain", "jhe.example.org", "--contact", "ops@example.org",
    "--database-host", "db.abc123.us-east-2.rds.amazonaws.com", "--smtp-host", "smtp.example.org", "--hub", "none",
)  # fmt: skip

# --- secrets ----------------------------------------------------------------------------------------------------------

MAIL = ("--from-env", "jhe-smtp/password=HOME", "--no-prompt")


def _half_a_store(place: Path) -> None:
    """A store that lacks three values, so that `init` makes them, and none of them an RSA key."""
    _whole_store(place)
    path = place / ".secrets/lab.yaml"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(line for line in lines if "auth_token" not in line and "cookie_secret" not in line))


def _whole_store(place: Path) -> None:
    _spec(place)
    run_all(place, [["secrets", "init", "specs/lab.yaml", *MAIL]])


def _rotated(place: Path) -> None:
    _whole_store(place)
    run_all(place, [["secrets", "rotate", "specs/lab.yaml", KEY]])


def _to_seal(place: Path) -> None:
    _whole_store(place)
    sops = f"secrets: {{backend: sops, recipients: [{AGE.recipient}]}}\n"
    put(place, {"specs/lab.yaml": (SPEC + sops).encode()})


KEY = "hub-secrets/hub.config.CryptKeeper.keys"
"""A value that keeps the old one beside the new for a while: losing that one costs users their tokens."""


def _store(place: Path, before: Snapshot, after: Snapshot) -> str:
    """Name the state of the store; nothing that it held may be lost, and no file of others."""
    try:
        now = store_values(place)
    except ValueError as error:
        return f"wrong: {error}"
    old, new = (_values_in(each) for each in (before, after))
    lost = [key for key in old if key not in (now or {})]
    if lost:
        return f"wrong: lost {lost}"
    for path, what in before.items():
        if not path.startswith((".secrets", "specs/secrets")) and snapshot(place).get(path) != what:
            return f"wrong: {path} was touched"
    changed = [key for key in old if now and now[key] != old[key]]
    if [key for key in changed if key != _place_of(KEY, old)]:
        return f"wrong: other values changed: {changed}"
    if now and changed and not set(now[changed[0]].split(";")) & set(old[changed[0]].split(";")):
        return "wrong: the old key is gone"
    torn = [p for p, (kind, _, data) in snapshot(place).items() if kind == "file" and _half_sealed(p, data)]
    if torn:
        return f"wrong: torn: {torn}"
    if (now or {}) == old:
        return "old" if snapshot(place).keys() <= before.keys() else "mix"
    return "new" if (now or {}).keys() == new.keys() else "mix"


def _half_sealed(path: str, data: bytes) -> bool:
    return (
        path.startswith("specs/secrets/") and not path.rpartition("/")[2].startswith(".") and b"version: " not in data
    )


def _place_of(key: str, values: dict[str, str]) -> str:
    return next(each for each in values if each.endswith(key))


def _values_in(found: Snapshot) -> dict[str, str]:
    import yaml

    if ".secrets/lab.yaml" not in found:
        return {}
    tree = yaml.safe_load(found[".secrets/lab.yaml"][2])
    return {
        f"{ns}/{name}/{key}": t for ns, each in tree.items() for name, items in each.items() for key, t in items.items()
    }


def _store_settled(place: Path, before: Snapshot, after: Snapshot) -> str:
    """Say what is wrong after the next run: every value there, old ones as they were, and no file too many."""
    left = _store(place, before, after)
    now = snapshot(place)
    wrong = [left] if left.startswith("wrong") else []
    wrong += [f"{path} too much" for path in now.keys() - after.keys()]
    wrong += [f"{path} absent" for path in after.keys() - now.keys()]
    wrong += [f"{key} absent" for key in _values_in(after).keys() - (store_values(place) or {}).keys()]
    wrong += [f"mode of {path}" for path in after.keys() & now.keys() if after[path][:2] != now[path][:2]]
    return ", ".join(wrong)


SCENES = (
    Scene("build, new", _new, ("build",)),
    Scene("build, nothing of the site there", _alone, ("build",), judge=_whole_or_nothing),
    Scene("build, changed", _built, ("build",)),
    Scene("build, changed, then another spec", _built, ("build",), between=_third, faults=("kill", "half", "full", "term")),
    Scene("build --force, over edits", _edited, ("build", "--force")),
    Scene("build --jobs 2, 23 sites", _two, ("build", "--jobs", "2"), faults=("kill", "worker", "full", "term", "interrupt")),
    Scene("set", _spec, ("set", "specs/lab.yaml", "exchange.title=Other"), check=False),
    Scene("import rds", _rds, ("import", "rds", "specs/lab.yaml", "stack.json"), check=False),
    Scene("init", _nothing, INIT, check=False),
    Scene("secrets init, new", _spec, ("secrets", "init", "specs/lab.yaml", *MAIL), ("secrets", "init", "specs/lab.yaml", "--no-prompt"),
          judge=_store, settled=_store_settled, check=False),
    Scene("secrets init, more", _half_a_store, ("secrets", "init", "specs/lab.yaml", "--no-prompt"),
          judge=_store, settled=_store_settled, check=False),
    Scene("secrets rotate", _whole_store, ("secrets", "rotate", "specs/lab.yaml", KEY),
          judge=_store, settled=_store_settled, check=False),
    Scene("secrets rotate --finish", _rotated, ("secrets", "rotate", "--finish", "specs/lab.yaml", KEY),
          judge=_store, settled=_store_settled, check=False),
    Scene("secrets seal", _to_seal, ("secrets", "seal", "specs/lab.yaml"), judge=_store, settled=_store_settled, check=False),
)  # fmt: skip


def sweep(scene: Scene, work: Path, *, every: int = 1, faults: Sequence[str] = (), offset: int = 0) -> Iterator[Case]:
    """Break a scene's command at every step (or each so many-th), with each fault that the step can have."""
    assert WARM
    warm(work)
    template, after_place, place = (work / name for name in ("template", "after", "place"))
    scene.prepare(fresh(template))
    before = snapshot(template)
    whole = trace.run(command(*scene.words), copied(template, after_place), environment=environment(after_place))
    if whole.code not in (0,):
        raise RuntimeError(f"{scene.name}: {whole.code}\n{whole.err}")
    done = snapshot(after_place)
    scene.between(after_place)
    if scene.between is not Scene._field_defaults["between"]:
        run_all(after_place, [scene.then or scene.words])
    final = snapshot(after_place)
    count = 0
    for at in range(1, len(whole.steps) + 1):
        for how in trace.faults_at(whole.steps[at - 1], faults or scene.faults):
            count += 1
            if (count + offset) % every == 0:
                yield _case(scene, copied(template, place), trace.Fault(how, at), (before, done, final))


def _case(scene: Scene, place: Path, fault: trace.Fault, snapshots: tuple[Snapshot, Snapshot, Snapshot]) -> Case:
    before, done, final = snapshots
    ended = trace.run(command(*scene.words), place, fault, environment=environment(place))
    step = ended.broken or trace.Step("never", "", changes=False)
    left = scene.judge(place, before, done)
    wrong = [left] if left.startswith("wrong") else []
    wrong += _badly_said(fault.how, ended, left, usual=("new", "mix") if scene.words[1:2] == ("seal",) else ("new",))
    scene.between(place)
    then = go(place, *(scene.then or scene.words)) if not _over(scene, left, ended) else Said(0, "", "")
    if " missing; run it in a terminal, or bring them" in then.err:  # what was given, and not kept, is given again
        then = go(place, *scene.words)
    if then.code and not _refused_as_done(scene, left, then):
        wrong.append(f"the next one exits {then.code}: {then.err.strip()[:300]}")
    unsettled = scene.settled(place, before, final)
    wrong += [f"at the end: {unsettled}"] if unsettled else []
    if scene.check:
        check = go(place, "check")
        wrong += [f"check exits {check.code}: {check.err.strip()[:200]}"] if check.code else []
    return Case(
        scene.name,
        fault.how,
        fault.at,
        f"{step.call} {step.path}",
        ended.code,
        left,
        "right" if not wrong else "wrong",
        "; ".join(wrong),
    )


def _over(scene: Scene, left: str, ended: trace.Ended) -> bool:
    """Say whether there is nothing to run again: a rotation that was done would be another one."""
    return scene.words[:2] == ("secrets", "rotate") and left == "new"


def _refused_as_done(scene: Scene, left: str, then: Said) -> bool:
    """Say whether `init` refuses, rightly, since the spec is there, whole."""
    return scene.name == "init" and then.code == 4


def _badly_said(how: str, ended: trace.Ended, left: str, usual: tuple[str, ...]) -> Iterator[str]:
    """Yield what is wrong with how the broken command ended. `usual` is what success leaves (never twice the same, sealed)."""
    if "Traceback" in ended.err or "has a bug" in ended.err or ended.code in (70, 97):
        yield f"said as a bug: {ended.err.strip()[-300:]}"
    elif how in trace.ERRNOS:
        if ended.code not in (0, 5):
            yield f"exit {ended.code}: {ended.err.strip()[:300]}"
        elif ended.code == 5 and not ended.err.strip() and not (ended.broken and ended.broken.path == "stderr"):
            yield "fails without a word"
        elif ended.code == 0 and left not in usual:
            yield f"exit 0, and the state is {left}"
    elif how in ("kill", "half") and ended.code != -9:
        yield f"outlived a SIGKILL: {ended.code}"


# --- the output tree alone --------------------------------------------------------------------------------------------

BUILDS = (
    (1, 2, 2),
    (1, 2, 3),
    (1, 2, 1),
    (0, 2, 2),
    (0, 2, 3),
    (2, 3, 4),
    (2, 5, 1),
    (4, 1, 6),
    (3, 6, 3),
    (5, 2, 0),
    (tree_driver.NOTHING, 2, 2),
    (tree_driver.NOTHING, 2, 3),
)
"""Sites before, broken, and next: some files change, one folder moves, one name is a file in odd sites and a folder in even."""


def trees(work: Path, *, share: float) -> Iterator[Case]:
    """Break `tree.write` at each step, by the driver of test_tree_crash.py: many pairs of sites, for little time."""
    for before, after, then in BUILDS[: max(1, round(len(BUILDS) * share))]:
        for fault in tree_driver.FAULTS:
            yield from _tree_cases(work / "out", fault, before, after, then or after)


def _tree_cases(out: Path, fault: str, before: int, after: int, then: int) -> Iterator[Case]:
    point, dead = 0, True
    while dead:
        point += 1
        shutil.rmtree(out, ignore_errors=True)
        tree_driver.prepare(out, before)
        dead, where = tree_driver.break_build(out, tree_driver.generation(after), fault, point)
        if dead:
            left = tree_driver.judge(out, before, after)
            end = tree_driver.build_on(out, then, before)
            wrong = [each for each in (left, end) if each not in ("old", "mix", "new", "right")]
            name = f"the tree alone, {before} to {after}, then {then}"
            yield Case(name, fault, point, where, 0, left, "wrong" if wrong else "right", "; ".join(wrong))
