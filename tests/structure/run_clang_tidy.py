#!/usr/bin/env python3
"""Runs clang-tidy over the given sources, each only when its preprocessed text or the rules have changed since it passed.

usage: run_clang_tidy.py BUILD_DIR SOURCE...      (paths relative to the repository; BUILD_DIR has compile_commands.json)
"""

import concurrent.futures
import hashlib
import json
import os
import pathlib
import shlex
import subprocess
import sys

TIDY = "clang-tidy-19"


def rules_digest() -> bytes:
    version = subprocess.run([TIDY, "--version"], check=True, capture_output=True).stdout
    files = [pathlib.Path(".clang-tidy"), *sorted(pathlib.Path().glob("*/.clang-tidy"))]
    return hashlib.sha256(version + b"".join(file.read_bytes() for file in files)).digest()


def preprocessed(entry: dict) -> bytes:
    """What clang-tidy will read, with the comments (NOLINT among them) and the lines' names."""
    arguments = shlex.split(entry["command"])
    output = arguments.index("-o")
    del arguments[output : output + 2]
    arguments[arguments.index("-c")] = "-E"
    return subprocess.run([*arguments, "-C"], cwd=entry["directory"], check=True, capture_output=True).stdout


def check(entry: dict, build: pathlib.Path, rules: bytes) -> str:
    """The findings in one source; empty when it passes."""
    stamp = build / "tidy" / hashlib.sha256(rules + preprocessed(entry)).hexdigest()
    if stamp.exists():
        return ""
    # The standard error only counts the findings of foreign headers.
    done = subprocess.run([TIDY, "-p", build, "--quiet", entry["file"]], capture_output=True, text=True)
    if done.returncode == 0:
        stamp.touch()
        return ""
    return done.stdout or done.stderr


def main() -> int:
    build, sources = pathlib.Path(sys.argv[1]), {os.path.abspath(source) for source in sys.argv[2:]}
    entries = json.loads((build / "compile_commands.json").read_text())
    chosen = [entry for entry in entries if entry["file"] in sources]
    (build / "tidy").mkdir(exist_ok=True)
    rules, failed = rules_digest(), 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as workers:
        for findings in workers.map(lambda entry: check(entry, build, rules), chosen):
            if findings:
                failed += 1
                print(findings, flush=True)
    print(f"clang-tidy: {len(chosen) - failed} of {len(chosen)} sources pass")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
