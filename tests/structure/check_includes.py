#!/usr/bin/env python3
"""Compiles each of the given sources and headers by itself, without code generation: none may lean on what another
file of its unity group, or the file that includes it, has included. Each is compiled again only after a change.

usage: check_includes.py BUILD_DIR FILE...      (a build without unity; paths relative to the repository)
"""

import functools
import os
import pathlib
import re
import subprocess
import sys

from compile_commands import Passed, compiler_call, count_failures, entries


class Calls:
    """How each file is compiled."""

    def __init__(self, build: pathlib.Path):
        self._by_source, self._by_header, self._by_folder = {}, {}, {}
        # First those that may include the most.
        for entry in sorted(entries(build), key=lambda entry: -entry["command"].count(" -I")):
            source = entry["file"]
            self._by_source[source] = entry
            self._add_headers(entry)
            for folder in pathlib.Path(source).parents:
                self._by_folder.setdefault(str(folder), entry)

    def _add_headers(self, entry: dict):
        """Those that the source includes, and those that they include."""
        folders = re.findall(r" -I(\S+)", entry["command"])
        files = [entry["file"]]
        while files:
            file = files.pop()
            for name in included_by(file):
                places = [os.path.dirname(file), *folders]
                header = next((path for path in (os.path.join(place, name) for place in places) if is_file(path)), None)
                header = header and os.path.normpath(header)
                if header and header not in self._by_header:
                    self._by_header[header] = entry
                    files.append(header)

    def call_for(self, path: str) -> tuple[list[str], str] | None:
        """How the file is compiled alone, and where; None for a file that no target has."""
        if "/interop/peers/" in path:
            return None  # ./dev interop compiles it where the implementation is installed that it is for
        entry = self._like_header(path) if path.endswith(".h") else self._by_source.get(path)
        if entry is None:
            return None
        call = compiler_call(entry)
        call[call.index("-c") :] = ["-fsyntax-only", "-x", "c++"]
        call += ["-include", path, os.devnull] if path.endswith(".h") else [path]
        return call, entry["directory"]

    def _like_header(self, path: str) -> dict | None:
        """As the source of the same name, or one that includes it, or one of its folder or of the nearest above; a
        public header as the sources of its module."""
        like = [self._by_source.get(path.removesuffix(".h") + ".cc"), self._by_header.get(path)]
        for folder in map(str, pathlib.Path(path).parents):
            like += [self._by_folder.get(folder), self._by_folder.get(os.path.join(folder, "src"))]
        return next((entry for entry in like if entry is not None), None)


@functools.cache
def is_file(path: str) -> bool:
    return os.path.isfile(path)


@functools.cache
def included_by(file: str) -> list[str]:
    return re.findall(r'^#include ["<](.*)[">]$', pathlib.Path(file).read_text(), re.MULTILINE)


def check(path: str, calls: Calls, passed: Passed) -> str:
    """Why the file does not compile by itself; empty when it does."""
    found = calls.call_for(path)
    if found is None:
        return ""
    call, folder = found
    text = subprocess.run([*call, "-E"], cwd=folder, capture_output=True).stdout
    stamp = passed.stamp("\0".join(call).encode() + text)
    if stamp.exists():
        return ""
    done = subprocess.run(call, cwd=folder, capture_output=True, text=True)
    if done.returncode == 0:
        stamp.touch()
        return ""
    return done.stderr


def main() -> int:
    build, files = pathlib.Path(sys.argv[1]), [os.path.abspath(name) for name in sys.argv[2:]]
    calls = Calls(build)
    passed = Passed(build / "includes", b"")
    failed = count_failures(lambda path: check(path, calls, passed), files)
    print(f"{len(files) - failed} of {len(files)} files compile by themselves")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
