#!/usr/bin/env python3
"""Runs clang-tidy over the translation units of the given sources, each only when its preprocessed text or the rules
have changed since it passed. With a unity build a unit is several sources, whose headers are then read once.

usage: run_clang_tidy.py BUILD_DIR SOURCE...      (paths relative to the repository; BUILD_DIR has compile_commands.json)
"""

import hashlib
import os
import pathlib
import subprocess
import sys

from compile_commands import Passed, count_failures, entries, preprocessed, sources_of

TIDY = "clang-tidy-19"
# A unity build's units include sources.
CHECKS = "-bugprone-suspicious-include"
# The analyzer follows GoogleTest's macros down every path, for minutes a file; what it looks for in tests the
# sanitizers find. A vector in a test may grow.
CHECKS_OF_TESTS = CHECKS + ",-clang-analyzer-*,-performance-inefficient-vector-operation"


def rules_digest() -> bytes:
    version = subprocess.run([TIDY, "--version"], check=True, capture_output=True).stdout
    return hashlib.sha256(version + pathlib.Path(".clang-tidy").read_bytes() + pathlib.Path(__file__).read_bytes()).digest()


def check(entry: dict, build: pathlib.Path, passed: Passed) -> str:
    """The findings in one translation unit; empty when it passes."""
    stamp = passed.stamp(preprocessed(entry))
    if stamp.exists():
        return ""
    is_test = any("/tests/" in source for source in sources_of(entry))
    checks = CHECKS_OF_TESTS if is_test else CHECKS
    # The standard error only counts the findings of foreign headers.
    done = subprocess.run(
        [TIDY, "-p", build, "--quiet", f"--checks={checks}", entry["file"]], capture_output=True, text=True
    )
    if done.returncode == 0:
        stamp.touch()
        return ""
    return done.stdout or done.stderr


def main() -> int:
    build, sources = pathlib.Path(sys.argv[1]), {os.path.abspath(source) for source in sys.argv[2:]}
    chosen = [entry for entry in entries(build) if sources.intersection(sources_of(entry))]
    passed = Passed(build / "tidy", rules_digest())
    failed = count_failures(lambda entry: check(entry, build, passed), chosen)
    print(f"clang-tidy: {len(chosen) - failed} of {len(chosen)} translation units pass")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
