#!/usr/bin/env python3
"""Compiles each of the given sources and headers by itself, without code generation: none may lean on what another
file of its unity group, or the file that includes it, has included. Each is compiled again only after a change.

usage: check_includes.py BUILD_DIR FILE...      (a build without unity; paths relative to the repository)
"""

import os
import pathlib
import subprocess
import sys

from compile_commands import Passed, compiler_call, count_failures, entries


def call_for(path: str, by_source: dict, by_folder: dict) -> tuple[list[str], str] | None:
    """How the file is compiled alone, and where; None for a file that no target has."""
    if "/interop/peers/" in path:
        return None  # ./dev interop compiles it where the implementation is installed that it is for
    entry = by_source.get(path)
    folder = os.path.dirname(path)
    # A header is compiled as the sources of its folder are, or of the nearest folder above; a public one, as those of
    # its module.
    while entry is None and len(folder) > 1:
        entry = by_folder.get(folder) or by_folder.get(os.path.join(folder, "src"))
        folder = os.path.dirname(folder)
    if entry is None:
        return None
    call = compiler_call(entry)
    call[call.index("-c") :] = ["-fsyntax-only", "-x", "c++"]
    call += ["-include", path, os.devnull] if path.endswith(".h") else [path]
    return call, entry["directory"]


def check(path: str, by_source: dict, by_folder: dict, passed: Passed) -> str:
    """Why the file does not compile by itself; empty when it does."""
    found = call_for(path, by_source, by_folder)
    if found is None:
        return ""
    call, folder = found
    text = subprocess.run([*call, "-E"], cwd=folder, capture_output=True).stdout
    stamp = passed.stamp(text)
    if stamp.exists():
        return ""
    done = subprocess.run(call, cwd=folder, capture_output=True, text=True)
    if done.returncode == 0:
        stamp.touch()
        return ""
    return done.stderr


def main() -> int:
    build, files = pathlib.Path(sys.argv[1]), [os.path.abspath(name) for name in sys.argv[2:]]
    by_source, by_folder = {}, {}
    for entry in entries(build):
        by_source[entry["file"]] = entry
        folder = os.path.dirname(entry["file"])
        while len(folder) > 1:
            by_folder.setdefault(folder, entry)
            folder = os.path.dirname(folder)
    passed = Passed(build / "includes", pathlib.Path(__file__).read_bytes())
    failed = count_failures(lambda path: check(path, by_source, by_folder, passed), files)
    print(f"{len(files) - failed} of {len(files)} files compile by themselves")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
