"""Which files belong to the project, and how a lint reports: shared by the scripts beside it."""
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def files(root=ROOT, suffixes=()):
    """The project's files under root: what git tracks or would track, or all of an export."""
    listing = subprocess.run(
        ["git", "-c", "safe.directory=*", "-C", str(root), "ls-files", "-z", "--cached", "--others",
         "--exclude-standard"], capture_output=True, check=False)
    if listing.returncode == 0:
        names = [pathlib.Path(root, name) for name in listing.stdout.decode().split("\0") if name]
    else:
        names = [path for path in pathlib.Path(root).rglob("*")
                 if not {"build", ".git", "__pycache__"} & set(path.relative_to(root).parts)]
    return sorted({path for path in names
                   if path.is_file() and (not suffixes or path.suffix in suffixes)})


def text_of(path):
    """The file as text, or None for a binary file (a capture, a fuzz input)."""
    content = path.read_bytes()
    if b"\0" in content:
        return None
    return content.decode("utf-8", errors="replace")


def is_shell(path):
    if path.suffix in (".bash", ".sh", ".bats"):
        return True
    if path.suffix:
        return False
    first = path.open("rb").readline(80)
    return first.startswith(b"#!") and (b"bash" in first or first.rstrip().endswith(b"sh"))


def finish(problems, checked):
    """Prints the problems and gives the exit status. A lint that saw no file is broken."""
    for problem in problems:
        print(problem)
    if not checked:
        problems = ["nothing was checked"]
        print(problems[0])
    print(f"{checked} files checked, {len(problems)} problems")
    return 1 if problems else 0


def fail_usage(text):
    print(text, file=sys.stderr)
    return 2
