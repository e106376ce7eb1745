"""Scripts: what makes a shell ask jhecfg, printed or put where the shell finds it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from jhecfg.diagnostics import Misused, ToolError, did_you_mean

# Bash breaks words at `=` and `:`, and wants back what follows the break; bash 3.2 (macOS) has no `compopt`.
BASH = r"""# jhecfg's completion for bash; written by `jhecfg --show-completion bash`
_jhecfg() {
  local IFS=$' \t\n' how="" line piece last="" words=()
  # KEY=VALUE comes as three words: put them together again, where nothing stands between them.
  for piece in "${COMP_WORDS[@]:1:COMP_CWORD}"; do
    ((${#words[@]})) && last=${words[${#words[@]}-1]}
    if [[ -n $piece && ($piece == [=:]* || $last == *[=:]) && $COMP_LINE == *"$last$piece"* ]]; then
      words[${#words[@]}-1]+=$piece
    else
      words+=("$piece")
    fi
  done
  last=${words[${#words[@]}-1]}
  [[ $piece == [=:] ]] || last=${last%"$piece"}
  COMPREPLY=()
  while IFS= read -r line; do
    if [[ -z $how ]]; then how=$line; continue; fi
    line=${line%%$'\t'*}
    COMPREPLY+=("${line#"$last"}")
  done < <("$1" __complete "${words[@]//[\"\'\\]/}" 2>/dev/null)
  if type compopt &>/dev/null; then
    case $how in
      open) compopt -o nospace ;;
      files) compopt -o filenames ;;
    esac
  fi
}
complete -F _jhecfg jhecfg
"""

ZSH = r"""#compdef jhecfg
# jhecfg's completion for zsh; written by `jhecfg --show-completion zsh`
_jhecfg() {
  local -a lines offered folders plain
  local line
  lines=("${(@f)$(jhecfg __complete "${(@Q)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ $lines[1] == files ]]; then
    folders=("${(@M)lines[2,-1]:#*/}") plain=("${(@)lines[2,-1]:#*/}")
    (( $#plain )) && compadd -f -- "$plain[@]"
    (( $#folders )) && compadd -f -S '' -- "$folders[@]"
    return
  fi
  for line in "${(@)lines[2,-1]}"; do
    offered+=("${${line%%$'\t'*}//:/\\:}${line[(r)$'\t']:+:${line#*$'\t'}}")
  done
  if [[ $lines[1] == open ]]; then
    _describe jhecfg offered -S ''
  else
    _describe jhecfg offered
  fi
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _jhecfg "$@"; else compdef _jhecfg jhecfg; fi
"""

FISH = r"""# jhecfg's completion for fish; written by `jhecfg --show-completion fish`
function __jhecfg_complete
    set -l words (commandline -opc) (commandline -ct)
    jhecfg __complete $words[2..-1] 2>/dev/null | tail -n +2
end
complete -c jhecfg -f -a '(__jhecfg_complete)'
"""

SCRIPTS = {"bash": BASH, "zsh": ZSH, "fish": FISH}
SHOW, INSTALL = "--show-completion", "--install-completion"


class Place(NamedTuple):
    """Where a shell finds its script, and the line of its start file that is needed for that, if any."""

    script: Path
    start: Path | None = None
    line: str = ""


def command(words: list[str]) -> str:
    """Do `--show-completion [SHELL]` or `--install-completion [SHELL]`; return what to print.

    Raises Misused for another shell, and ToolError for a file that cannot be written.
    """
    what, *named = words
    shell = named[0] if named else Path(os.environ.get("SHELL", "")).name
    if shell not in SCRIPTS or len(named) > 1:
        if not named:
            raise Misused(f"which shell is it? say bash, zsh or fish, as in `jhecfg {what} bash`")
        hint = did_you_mean(shell, list(SCRIPTS)) or "bash, zsh and fish have one"
        raise Misused(f"there is no completion for '{' '.join(named)}'; {hint}")
    return SCRIPTS[shell] if what == SHOW else _installed(shell)


def _installed(shell: str) -> str:
    """Write the script, and what makes the shell read it; what is there already is left alone."""
    place = place_of(shell)
    said = [f"{place.script}: written"]
    try:
        place.script.parent.mkdir(parents=True, exist_ok=True)
        place.script.write_text(SCRIPTS[shell], encoding="utf-8")
        if place.start is not None:
            text = place.start.read_text(encoding="utf-8") if place.start.exists() else ""
            if place.line not in text.splitlines():
                with place.start.open("a", encoding="utf-8") as file:
                    file.write(("" if not text or text.endswith("\n") else "\n") + place.line + "\n")
                said.append(f"{place.start}: a line that reads it added")
    except (OSError, UnicodeDecodeError) as error:
        raise ToolError(f"cannot install completion: {error}") from None
    return "\n".join([*said, "It works in the next shell that you start.", ""])


def place_of(shell: str) -> Place:
    """Return where a person's own completions are."""
    home = Path.home()
    data = Path(os.environ.get("XDG_DATA_HOME") or home / ".local/share")
    if shell == "fish":
        return Place(Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config") / "fish/completions/jhecfg.fish")
    if shell == "zsh":
        script = data / "jhecfg/completion.zsh"
        start = Path(os.environ.get("ZDOTDIR") or home) / ".zshrc"
        line = f"autoload -Uz compinit; (( $+functions[compdef] )) || compinit; source {_quoted(script)}"
        return Place(script, start, line)
    script = data / "bash-completion/completions/jhecfg"
    return Place(script, home / ".bashrc", f"source {_quoted(script)}")


def _quoted(path: Path) -> str:
    from shlex import quote

    return quote(str(path))
