#!/usr/bin/env python3
"""Changes one deciding line of the library at a time and runs the tests: one of them must fail.

    run.py --check               only that the text of every mutant occurs exactly once: seconds
    run.py [--only TEXT]         apply, build and test, one mutant after the other
           [--jobs N]            so many copies of the tree at once (default 1; each builds by itself)
           [--json FILE]         write what became of each mutant
           [--launcher COMMAND]  put before each build and test command, e.g. 'nice -n 10'

The mutants are in mutants/*.py. Everything happens in copies of the tree in build/mutation/, never in the tree itself.
The exit status is 1 where a mutant survives that is not marked as equivalent, or where one does not apply or compile.
"""

import argparse
import concurrent.futures
import filecmp
import json
import os
import pathlib
import queue
import shlex
import shutil
import subprocess
import sys
import time

from mutant import SourceTree, load

ROOT = pathlib.Path(__file__).resolve().parents[2]
WORK = ROOT / "build" / "mutation"
FOLDERS = ("cmake", "docs", "dtls", "ice_glue", "interop", "srtp_bridge", "tests", "third_party")
FILES = ("CMakeLists.txt", "CMakePresets.json")

# A mutant that loops for ever is noticed by this, in seconds.
TEST_TIMEOUT = 60

# Without optimisation and debug information a changed file compiles in a few seconds.
CONFIGURATION = (
    "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Debug", "-DCMAKE_CXX_FLAGS_DEBUG=-O0", "-DCMAKE_UNITY_BUILD=ON",
    "-DSLUICE_WERROR=OFF", "-DSLUICE_BENCH=OFF", "-DSLUICE_NICE=OFF", "-DSLUICE_INTEROP=OFF", "-DSLUICE_INSTALL=OFF",
)


def copy_changed(source, target):
    """Makes the folder `target` equal to `source`, and leaves equal files alone, so that they are not built again."""
    target.mkdir(parents=True, exist_ok=True)
    names = {entry.name for entry in source.iterdir() if entry.name != "__pycache__"}
    for entry in target.iterdir():
        if entry.name not in names:
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    for name in names:
        here, there = source / name, target / name
        if here.is_dir():
            if name != "node_modules":
                copy_changed(here, there)
        elif not there.is_file() or not filecmp.cmp(here, there, shallow=False):
            shutil.copyfile(here, there)
            shutil.copymode(here, there)


class Copy:
    """A copy of the tree with a build of its own."""

    def __init__(self, number, launcher, compilers):
        self.tree = WORK / str(number) / "tree"
        self.build = WORK / str(number) / "build"
        self.log = WORK / str(number) / "log.txt"
        self.launcher = launcher
        self.ninja = ("ninja", f"-j{compilers}")

    def run(self, *command):
        """The exit status; the output goes to the log."""
        with self.log.open("a", encoding="utf-8") as log:
            print(f"$ {shlex.join(command)}", file=log, flush=True)
            environment = os.environ | {"GTEST_FAIL_FAST": "1"}
            return subprocess.run([*self.launcher, *command], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                  cwd=self.build, env=environment, check=False).returncode

    def prepare(self, tests, runs_tests):
        self.tree.mkdir(parents=True, exist_ok=True)
        self.build.mkdir(exist_ok=True)
        self.log.unlink(missing_ok=True)
        for name in FOLDERS:
            copy_changed(ROOT / name, self.tree / name)
        for name in FILES:
            shutil.copyfile(ROOT / name, self.tree / name)
        libsrtp = ROOT / "build" / "third_party" / "libsrtp"
        chosen = [f"-DSLUICE_LIBSRTP_ROOT={libsrtp}"] if libsrtp.is_dir() else []
        if self.run("cmake", "-S", str(self.tree), "-B", str(self.build), *CONFIGURATION, *chosen):
            sys.exit(f"configuring failed: see {self.log}")
        if self.run(*self.ninja, *tests):
            sys.exit(f"the unchanged tree does not build: see {self.log}")
        for test in tests if runs_tests else ():
            if not self.passes(test):
                sys.exit(f"{test} fails on the unchanged tree: see {self.log}")

    def passes(self, test):
        return self.run("ctest", "--timeout", str(TEST_TIMEOUT), "--no-tests=error", "--output-on-failure",
                        "-R", f"^{test}$") == 0

    def try_mutant(self, mutant):
        """The outcome: 'killed by TEST', 'survived', or what is wrong with the mutant."""
        path = self.tree / mutant.file
        original = path.read_text(encoding="utf-8")
        changed, fault = mutant.apply(original)
        if fault:
            return fault
        path.write_text(changed, encoding="utf-8")
        try:
            for test in mutant.tests:
                if self.run(*self.ninja, test):
                    return "does not compile"
                if not self.passes(test):
                    return f"killed by {test}"
            return "survived"
        finally:
            path.write_text(original, encoding="utf-8")


def verdict(mutant, outcome):
    """Whether this outcome is in order."""
    if mutant.equivalent:
        return outcome == "survived"
    return outcome.startswith("killed")


def run(mutants, arguments):
    jobs = max(1, min(arguments.jobs, len(mutants)))
    tests = list(dict.fromkeys(test for mutant in mutants for test in mutant.tests))
    copies = queue.Queue()
    results = []
    for number in range(jobs):
        copy = Copy(number, shlex.split(arguments.launcher), max(1, (os.cpu_count() or 1) // jobs))
        print(f"building the unchanged tree in {copy.build}", flush=True)
        copy.prepare(tests, runs_tests=number == 0)
        copies.put(copy)

    def one(mutant):
        copy = copies.get()
        try:
            begun = time.monotonic()
            return mutant, copy.try_mutant(mutant), time.monotonic() - begun
        finally:
            copies.put(copy)

    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for done in concurrent.futures.as_completed([pool.submit(one, mutant) for mutant in mutants]):
            mutant, outcome, seconds = done.result()
            mark = "ok  " if verdict(mutant, outcome) else "FAIL"
            print(f"{mark} {mutant.name}: {outcome} ({seconds:.0f} s)", flush=True)
            results.append((mutant, outcome, seconds))
            if arguments.json:
                write_json(arguments.json, results)
    return results


def write_json(path, results):
    rows = [{"file": mutant.file, "checks": mutant.checks, "outcome": outcome, "seconds": round(seconds)}
            for mutant, outcome, seconds in results]
    pathlib.Path(path).write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--only", default="", metavar="TEXT", help="mutants whose file or description contains TEXT")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--launcher", default="", metavar="COMMAND")
    arguments = parser.parse_args()

    mutants = load()
    faults = SourceTree(ROOT).faults(mutants)
    if faults:
        print("\n".join(faults))
        return 1
    print(f"{len(mutants)} mutants, each of whose texts occurs once")
    if arguments.check:
        return 0

    mutants = [mutant for mutant in mutants if arguments.only in f"{mutant.file}: {mutant.checks}"]
    if not mutants:
        sys.exit(f"no mutant contains '{arguments.only}'")
    results = run(mutants, arguments)
    wrong = [(mutant, outcome) for mutant, outcome, _ in results if not verdict(mutant, outcome)]
    equivalent = sum(1 for mutant, _, _ in results if mutant.equivalent)
    print(f"{len(results)} mutants: {len(results) - len(wrong) - equivalent} killed, {equivalent} equivalent, "
          f"{len(wrong)} survived or faulty")
    for mutant, outcome in wrong:
        print(f"  {mutant.name}: {outcome}\n    {mutant.text}\n -> {mutant.replacement}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
