"""answer(): go through the questions: flags first, then what the draft knows, then a person, then the defaults."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from jhecfg.diagnostics import Misused
from jhecfg.draft import Draft
from jhecfg.draft.questions import QUESTIONS, Question, nothing

Asked = Callable[[str], str]
"""Shows a prompt and returns a line that a person typed. Raises EOFError where there is no more."""


class Given(NamedTuple):
    """Where answers come from: flags by the questions' names, other defaults than the usual, and a person, if any.

    `refusal` says of an answer why it will not do for reasons outside the spec, to a person who can answer again.
    """

    flags: Mapping[str, str]
    defaults: Mapping[str, str]
    ask: Asked | None
    say: Callable[[str], None]
    refusal: Callable[[str, str], str]


def answer(draft: Draft, given: Given) -> tuple[str, ...]:
    """Fill a draft with the answers to all questions; return the names of those that nobody answered.

    Raises Misused where a flag's value will not do, where a flag has no use, and where a person stops answering.
    """
    missing: list[str] = []
    derived: list[str] = []  # has a default once the others are answered
    for question in QUESTIONS:
        found = _answer(question, draft, given)
        if found is not None:
            question.fill(found, draft)
        elif _needed(question, draft):
            (missing if question.default is nothing else derived).append(question.name)
    return tuple(missing or derived)


def _needed(question: Question, draft: Draft) -> bool:
    """Tell whether a question without an answer is open still; one that the draft answers is not."""
    if question.optional or not question.when(draft):
        return False
    return not question.loc or draft.get(*question.loc) is None


def _answer(question: Question, draft: Draft, given: Given) -> str | None:
    used = question.when(draft)
    flag = given.flags.get(question.name)
    if flag is not None:
        problem = question.problem(flag, draft) if used else "there is no use for it after the other answers"
        if problem:
            raise Misused(f"--{question.name}: {problem}")
        return flag
    if not used or (question.loc and draft.get(*question.loc) is not None):
        return None
    default = given.defaults.get(question.name) or question.default(draft)
    if default and question.problem(default, draft):
        default = ""
    return _typed(question, default, draft, given) if given.ask else default or None


def _typed(question: Question, default: str, draft: Draft, given: Given) -> str | None:
    """Ask until the answer will do; an empty one takes the default."""
    assert given.ask is not None
    options = question.options(draft) if question.options else ()
    prompt = question.text + (f" ({'/'.join(options)})" if options else "") + (f" [{default}]" if default else "")
    while True:
        try:
            typed = given.ask(f"{prompt}: ").strip() or default
        except EOFError:
            raise Misused("nothing was written: the answers ended") from None
        if not typed and question.optional:
            return None
        problem = question.problem(typed, draft) if typed else "it needs an answer"
        problem = problem or given.refusal(question.name, typed)
        if not problem:
            return typed
        given.say(f"  {problem}")
