"""Completion scripts for bash, zsh and fish, from the parser's own tree."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Node:
    """One command: the words before it, its options with their help, its sub-commands."""

    path: tuple[str, ...]
    options: tuple[tuple[str, str], ...]
    children: tuple[tuple[str, str], ...]
    choices: tuple[str, ...]

    @property
    def words(self) -> str:
        """What may follow, separated by blanks."""
        return " ".join(
            [*(n for n, _ in self.children), *self.choices, *(o for o, _ in self.options)]
        )


def completion(parser: argparse.ArgumentParser, shell: str) -> str:
    """A script that completes commands and options; files are completed by the shell itself.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        Of the whole command line.
    shell : str
        "bash", "zsh" or "fish".
    """
    nodes = list(_nodes(parser, ()))
    return {"bash": _bash, "zsh": _zsh, "fish": _fish}[shell](parser.prog, nodes)


def _nodes(parser: argparse.ArgumentParser, path: tuple[str, ...]) -> Iterator[Node]:
    options: list[tuple[str, str]] = []
    children: list[tuple[str, str]] = []
    choices: list[str] = []
    below: list[tuple[str, argparse.ArgumentParser]] = []
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            helps = {choice.dest: choice.help or "" for choice in action._choices_actions}
            children += [(name, helps.get(name, "")) for name in action.choices]
            below += list(action.choices.items())
        elif action.option_strings:
            options += [(name, action.help or "") for name in action.option_strings]
        else:
            choices += [str(choice) for choice in action.choices or ()]
    yield Node(path, tuple(options), tuple(children), tuple(choices))
    for name, child in below:
        yield from _nodes(child, (*path, name))


def _cases(nodes: list[Node]) -> str:
    return "\n".join(f'    "{" ".join(n.path)}") words="{n.words}" ;;' for n in nodes)


def _bash(prog: str, nodes: list[Node]) -> str:
    parents = "|".join(f'"{" ".join(n.path)}"' for n in nodes if n.children)
    return f"""\
# bash completion of {prog}:  eval "$({prog} completion bash)"
_{prog}() {{
  local current="${{COMP_WORDS[COMP_CWORD]}}" path="" word words="" i
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="${{COMP_WORDS[i]}}"
    case "$path" in {parents}) [[ "$word" == -* ]] || path="${{path:+$path }}$word" ;; esac
  done
  case "$path" in
{_cases(nodes)}
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
  if [[ "$current" != -* ]]; then
    mapfile -t -O "${{#COMPREPLY[@]}}" COMPREPLY < <(compgen -f -- "$current")
  fi
}}
complete -o filenames -F _{prog} {prog}
"""


def _zsh(prog: str, nodes: list[Node]) -> str:
    parents = "|".join(f'"{" ".join(n.path)}"' for n in nodes if n.children)
    return f"""\
#compdef {prog}
# zsh completion of {prog}:  eval "$({prog} completion zsh)"
_{prog}() {{
  local route="" word options="" i
  for ((i = 2; i < CURRENT; i++)); do
    word="${{words[i]}}"
    case "$route" in {parents}) [[ "$word" == -* ]] || route="${{route:+$route }}$word" ;; esac
  done
  case "$route" in
{_cases(nodes).replace("words=", "options=")}
  esac
  compadd -- ${{=options}}
  _files
}}
compdef _{prog} {prog}
"""


def _fish(prog: str, nodes: list[Node]) -> str:
    lines = [f"# fish completion of {prog}:  {prog} completion fish | source"]
    for node in nodes:
        seen = [f"__fish_seen_subcommand_from {word}" for word in node.path]
        if node.children:
            names = " ".join(name for name, _ in node.children)
            seen.append(f"not __fish_seen_subcommand_from {names}")
        when = f" -n {_quoted('; and '.join(seen))}" if seen else ""
        for name, about in node.children:
            lines.append(f"complete -c {prog}{when} -a {name} -d {_quoted(about)}")
        for choice in node.choices:
            lines.append(f"complete -c {prog}{when} -a {choice}")
        for option, about in node.options:
            form = f"-l {option[2:]}" if option.startswith("--") else f"-s {option[1:]}"
            lines.append(f"complete -c {prog}{when} {form} -d {_quoted(about)}")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
