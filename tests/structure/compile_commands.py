"""Reads compile_commands.json, runs checks in parallel, and remembers which have passed."""

import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import shlex
import subprocess
from collections.abc import Callable, Iterable


def entries(build: pathlib.Path) -> list[dict]:
    return json.loads((build / "compile_commands.json").read_text())


def sources_of(entry: dict) -> list[str]:
    """The sources of one translation unit: several in a unity build."""
    if "/Unity/" not in entry["file"]:
        return [entry["file"]]
    return re.findall(r'^#include "(.*)"$', pathlib.Path(entry["file"]).read_text(), re.MULTILINE)


def compiler_call(entry: dict) -> list[str]:
    """Compiler and arguments, without a launcher and without an output; the last two are '-c' and the file."""
    arguments = shlex.split(entry["command"])
    arguments = arguments[next(i for i, word in enumerate(arguments) if word.endswith(("c++", "g++", "clang++-19"))) :]
    output = arguments.index("-o")
    del arguments[output : output + 2]
    return arguments


def preprocessed(entry: dict) -> bytes:
    """What a check will read, with the comments (NOLINT among them) and the lines' names."""
    arguments = compiler_call(entry)
    arguments[arguments.index("-c")] = "-E"
    return subprocess.run([*arguments, "-C"], cwd=entry["directory"], check=True, capture_output=True).stdout


class Passed:
    """Remembers in a folder which texts have passed under the same rules."""

    def __init__(self, folder: pathlib.Path, rules: bytes):
        self._folder = folder
        self._rules = rules
        folder.mkdir(exist_ok=True)

    def stamp(self, text: bytes) -> pathlib.Path:
        return self._folder / hashlib.sha256(self._rules + text).hexdigest()


def count_failures(check: Callable, items: Iterable) -> int:
    """Runs `check` for each item, one per core at a time, prints its findings and counts the items that have any."""
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as workers:
        for findings in workers.map(check, items):
            if findings:
                failed += 1
                print(findings, flush=True)
    return failed
