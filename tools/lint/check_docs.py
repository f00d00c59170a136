#!/usr/bin/env python3
"""Fails when a program's --help and its man page disagree, in either direction.

check_docs.py PROGRAM MAN_DIRECTORY     PROGRAM is the built executable
check_docs.py --all BIN_DIRECTORY MAN_DIRECTORY
check_docs.py --nbdkit PLUGIN MAN_DIRECTORY     the same for the parameters of nbdkit-NAME-plugin.so

The pages of a program P are man/P.N.scd, and for a subcommand S also man/P-S.N.scd, of the same
section N. Every option and subcommand that --help shows (of the program and of each subcommand) must
stand in a page. Every option that a page shows in bold (*--name*) must be shown by --help: so an option
of another program is written without bold. Parameters of a plugin are `name=` in the help, *name=* in
its page.
"""
import pathlib
import re
import shutil
import subprocess
import sys

OPTION = re.compile(r"(?<![\w-])(--[a-z][a-z0-9-]*)")
BOLD_OPTION = re.compile(r"\*[^*\n]*\*")
HELP_SECONDS = 20
DEPTH_MAX = 3


def help_text(program, words):
    result = subprocess.run([str(program), *words, "--help"], capture_output=True, text=True,
                            stdin=subprocess.DEVNULL, timeout=HELP_SECONDS, check=False)
    if result.returncode != 0:
        raise RuntimeError(f"{program.name} {' '.join(words)} --help: exit status "
                           f"{result.returncode}: {result.stderr.strip()[:200]}")
    return result.stdout


def subcommands(text):
    """The names that stand under a heading like `Subcommands:` (or Commands:), one a line."""
    names, inside = [], False
    for line in text.splitlines():
        if re.match(r"^\[?(sub)?commands", line, re.IGNORECASE):
            inside = True
        elif line and not line[0].isspace():
            inside = False
        elif inside:
            match = re.match(r"^ {1,4}([a-z][a-z0-9-]*)(\s|,|$)", line)
            if match:
                names.append(match.group(1))
    return names


def everything_shown(program):
    """Returns the options and the subcommands that --help shows, of all subcommands too."""
    options, commands, queue = {}, {}, [()]
    while queue:
        words = queue.pop()
        text = help_text(program, words)
        for option in OPTION.findall(text):
            options.setdefault(option, " ".join((program.name, *words)))
        if len(words) < DEPTH_MAX:
            for name in subcommands(text):
                if name != "help":
                    commands.setdefault(name, " ".join((program.name, *words)))
                    queue.append((*words, name))
    return options, commands


def check(program, man_directory):
    options, commands = everything_shown(program)
    pages = list(man_directory.glob(f"{program.name}.[1-8].scd"))
    if not pages:
        return [f"{program.name}: no man page {program.name}.N.scd in {man_directory.name}/"]
    # In the section of the program: aoe-flush(8) is a command of its own, and not `aoe flush`.
    for section in {page.name.split(".")[-2] for page in pages}:
        for command in commands:
            pages += man_directory.glob(f"{program.name}-{command}.{section}.scd")
    text = "\n".join(page.read_text(encoding="utf-8") for page in pages).replace("\\", "")
    problems = [f"{program.name}: no option found in --help"] if not options else []
    documented = set(OPTION.findall(text))
    for option, where in sorted(options.items()):
        if option not in documented:
            problems.append(f"{program.name}: {option} of `{where} --help` is not in the man page")
    for command, where in sorted(commands.items()):
        if not re.search(rf"(?<![\w-]){re.escape(command)}(?![\w-])", text):
            problems.append(f"{program.name}: the man page lacks `{where} {command}`")
    bold = {option for piece in BOLD_OPTION.findall(text) for option in OPTION.findall(piece)}
    for option in sorted(bold - options.keys()):
        problems.append(f"{program.name}: the man page has {option}, --help has not")
    return problems


def plugin_problems(name, help_of_plugin, page):
    """Compares the parameters that `nbdkit PLUGIN --help` shows with those of the page."""
    # Before the plugin's part stands nbdkit's own help.
    shown = set(re.findall(r"^\[?([a-z][a-z0-9-]*)=", help_of_plugin.partition("\nplugin: ")[2],
                           re.MULTILINE))
    documented = set(re.findall(r"\*([a-z][a-z0-9-]*)=\*", page))
    problems = [] if shown else [f"{name}: no parameter found in --help"]
    problems += [f"{name}: {key}= of --help is not in the man page" for key in shown - documented]
    problems += [f"{name}: the man page has {key}=, --help has not" for key in documented - shown]
    return sorted(problems)


def check_plugin(plugin, man_directory):
    if not plugin.exists() or not shutil.which("nbdkit"):
        print("skipped: the plugin is not built, or nbdkit not installed")
        return 77
    page = man_directory / f"{plugin.stem}.1.scd"
    # nbdkit takes a name with a slash in it for a path.
    text = help_text(pathlib.Path("nbdkit"), [str(plugin.resolve())])
    problems = plugin_problems(plugin.stem, text, page.read_text(encoding="utf-8"))
    for problem in problems:
        print(problem)
    return 1 if problems else 0


def main(arguments):
    if len(arguments) == 3 and arguments[0] == "--nbdkit":
        return check_plugin(pathlib.Path(arguments[1]), pathlib.Path(arguments[2]))
    if len(arguments) == 3 and arguments[0] == "--all":
        programs = sorted(path for path in pathlib.Path(arguments[1]).glob("*")
                          if path.is_file() and path.stat().st_mode & 0o100)
    elif len(arguments) == 2:
        programs = [pathlib.Path(arguments[0])]
    else:
        print(__doc__, file=sys.stderr)
        return 2
    problems = []
    for program in programs:
        try:
            # Not resolve(): a program that does what its name says must be called by it.
            problems += check(program.absolute(), pathlib.Path(arguments[-1]))
        except (OSError, RuntimeError, subprocess.TimeoutExpired) as error:
            problems.append(f"{program.name}: {error}")
    for problem in problems:
        print(problem)
    print(f"{len(programs)} programs checked, {len(problems)} problems")
    if not programs:
        print("skipped: no program is built yet")
        return 77
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
