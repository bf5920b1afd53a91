#!/usr/bin/env python3
"""Changes one deciding line of the library at a time and runs the tests: one of them must fail.

    run.py --check               only that the text of every mutant occurs exactly once: seconds
    run.py [--only TEXT]         build once with all mutants (switch.py), then choose and test one after the other
           [--jobs N]            so many mutants at once (default 1)
           [--json FILE]         write what became of each mutant, as it is known
           [--resume]            leave out what FILE says was killed, unless its source or its change is another now
           [--launcher COMMAND]  put before each build and test command, e.g. 'nice -n 10'

The mutants are in mutants/*.py. Everything happens in a copy of the tree in build/mutation/, never in the tree itself.
The exit status is 1 where a mutant survives that is not marked as equivalent, or where one does not apply or compile.
"""

import argparse
import concurrent.futures
import filecmp
import hashlib
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import time

from mutant import SourceTree, load
from program import Program, record_all
from switch import switched

ROOT = pathlib.Path(__file__).resolve().parents[2]
WORK = ROOT / "build" / "mutation"
FOLDERS = ("cmake", "data_channel", "docs", "dtls", "ice_glue", "interop", "rtp", "srtp_bridge", "tests", "third_party")
FILES = ("CMakeLists.txt", "CMakePresets.json")

# To learn which test cases reach which mutants takes as long as to try so many.
FEW = 20

# Without optimisation and debug information everything compiles in a few minutes.
CONFIGURATION = (
    "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Debug", "-DCMAKE_CXX_FLAGS_DEBUG=-O0 -w", "-DCMAKE_UNITY_BUILD=ON",
    "-DSLUICE_WERROR=OFF", "-DSLUICE_BENCH=OFF", "-DSLUICE_NICE=OFF", "-DSLUICE_SESSION_STORES=OFF", "-DSLUICE_INTEROP=OFF",
    "-DSLUICE_INSTALL=OFF",
)


def make_equal(target, contents):
    """Leaves an equal file alone, so that it is not built again."""
    if not target.is_file() or target.read_bytes() != contents:
        target.write_bytes(contents)


def copy_changed(source, target, changed):
    """Makes the folder `target` equal to `source`, but for `changed`: contents by the path in `target`."""
    target.mkdir(parents=True, exist_ok=True)
    names = {entry.name for entry in source.iterdir() if entry.name != "__pycache__"}
    for entry in target.iterdir():
        if entry.name not in names:
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    for name in names:
        here, there = source / name, target / name
        if here.is_dir():
            if name != "node_modules":
                copy_changed(here, there, changed)
        elif there in changed:
            make_equal(there, changed[there].encode())
        elif not there.is_file() or not filecmp.cmp(here, there, shallow=False):
            shutil.copyfile(here, there)
            shutil.copymode(here, there)


class Build:
    """A copy of the tree, built with all of `mutants` at once."""

    def __init__(self, mutants, launcher):
        self.mutants = {mutant.number: mutant for mutant in mutants}
        self.launcher = launcher
        self.tree = WORK / "tree"
        self.folder = WORK / "build"
        self.log = WORK / "log.txt"
        self.lines = {}  # of each mutant that is switched: path, first line, last line
        self.programs = {}  # by the name in ctest

    def run(self, *command):
        """The exit status; the output goes to the log."""
        with self.log.open("a", encoding="utf-8") as log:
            print(f"$ {shlex.join(command)}", file=log, flush=True)
            return subprocess.run([*self.launcher, *command], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                  cwd=self.folder, check=False).returncode

    def write_tree(self, left_out):
        by_file = {}
        for number, mutant in self.mutants.items():
            if number not in left_out:
                by_file.setdefault(mutant.file, {})[number] = mutant
        self.lines = {}
        changed = {}
        for file, mutants in by_file.items():
            path = self.tree / file
            changed[path], lines = switched((ROOT / file).read_text(encoding="utf-8"), mutants)
            self.lines |= {number: (path, *where) for number, where in lines.items()}
        for name in FOLDERS:
            copy_changed(ROOT / name, self.tree / name, changed)
        for name in FILES:
            make_equal(self.tree / name, (ROOT / name).read_bytes())

    def not_compiled(self, begin):
        """The mutants in whose lines the compiler has found an error, by the log from `begin` on."""
        with self.log.open(encoding="utf-8") as log:
            log.seek(begin)
            named = re.findall(r"^(\S+?):(\d+):\d+: +(?:error|.*required from here)", log.read(), re.MULTILINE)
        places = {(pathlib.Path(os.path.normpath(self.folder / path)), int(line)) for path, line in named}
        return {number for number, (path, first, last) in self.lines.items()
                if any(path == other and first <= line <= last for other, line in places)}

    def prepare(self, tests):
        self.folder.mkdir(parents=True, exist_ok=True)
        self.log.unlink(missing_ok=True)
        self.write_tree(set())
        libsrtp = ROOT / "build" / "third_party" / "libsrtp"
        chosen = [f"-DSLUICE_LIBSRTP_ROOT={libsrtp}"] if libsrtp.is_dir() else []
        if self.run("cmake", "-S", str(self.tree), "-B", str(self.folder), *CONFIGURATION, *chosen):
            sys.exit(f"configuring failed: see {self.log}")
        left_out = set()
        while True:
            begin = self.log.stat().st_size
            if self.run("ninja", "-k0", f"-j{os.cpu_count() or 1}", *tests) == 0:
                break
            found = self.not_compiled(begin)
            if not found:
                sys.exit(f"the tree does not build: see {self.log}")
            left_out |= found
            self.write_tree(left_out)
        entries = json.loads(subprocess.run(["ctest", "--show-only=json-v1"], cwd=self.folder, check=True,
                                            capture_output=True).stdout)["tests"]
        self.programs = {entry["name"]: Program(entry, self.launcher) for entry in entries if entry["name"] in tests}

    def holds(self, mutant):
        return mutant.number in self.lines

    def attempt(self, mutant):
        """The outcome: 'killed by TEST', 'survived', or what is wrong with the mutant."""
        if not self.holds(mutant):
            return self.attempt_alone(mutant)
        for test in mutant.tests:
            failure = self.programs[test].failure_with(mutant.number)
            if failure:
                return f"killed by {test}: {failure}"
        return "survived"

    def attempt_alone(self, mutant):
        """The same for a mutant that is not in the build: everything that includes its file is built again."""
        path = self.tree / mutant.file
        before = path.read_bytes()
        changed, fault = mutant.apply((ROOT / mutant.file).read_text(encoding="utf-8"))
        if fault:
            return fault
        path.write_text(changed, encoding="utf-8")
        try:
            for test in mutant.tests:
                if self.run("ninja", test):
                    return "does not compile"
                failure = self.programs[test].failure()
                if failure:
                    return f"killed by {test}: {failure}"
            return "survived"
        finally:
            path.write_bytes(before)


def verdict(mutant, outcome):
    """Whether this outcome is in order."""
    if mutant.equivalent:
        return outcome == "survived"
    return outcome.startswith("killed")


class Results:
    """What became of each mutant, in a file too where one is named."""

    def __init__(self, path, resumes):
        self.path = path and pathlib.Path(path)
        kept = json.loads(self.path.read_text(encoding="utf-8")) if resumes and self.path.is_file() else []
        self.rows = {row["mutant"]: row for row in kept if row["outcome"].startswith("killed")}

    @staticmethod
    def digest(mutant):
        change = (ROOT / mutant.file).read_bytes() + repr((mutant.text, mutant.replacement)).encode()
        return hashlib.sha256(change).hexdigest()[:16]

    def is_known(self, mutant):
        return not mutant.equivalent and self.rows.get(mutant.name, {}).get("digest") == self.digest(mutant)

    def add(self, mutant, outcome, seconds):
        mark = "ok  " if verdict(mutant, outcome) else "FAIL"
        print(f"{mark} {mutant.name}: {outcome} ({seconds:.1f} s)", flush=True)
        self.rows[mutant.name] = {"mutant": mutant.name, "digest": self.digest(mutant), "outcome": outcome}
        if self.path:
            self.path.write_text(json.dumps(list(self.rows.values()), indent=1) + "\n", encoding="utf-8")


def run(mutants, chosen, results, arguments):
    build = Build(mutants, shlex.split(arguments.launcher))
    tests = list(dict.fromkeys(test for mutant in chosen for test in mutant.tests))
    print(f"building {len(tests)} tests in {build.folder}", flush=True)
    build.prepare(tests)
    programs = [build.programs[test] for test in tests]
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        if len(chosen) > FEW:
            failures = record_all(programs, pool, WORK / "reached.json")
        else:
            failures = [f"{program.name}: {failure}" for program, failure in
                        zip(programs, pool.map(Program.failure, programs)) if failure]
    if failures:
        sys.exit("fails on the unchanged tree: " + ", ".join(failures))

    def attempt(mutant):
        begun = time.monotonic()
        return mutant, build.attempt(mutant), time.monotonic() - begun

    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        tried = [pool.submit(attempt, mutant) for mutant in chosen if build.holds(mutant)]
        for done in concurrent.futures.as_completed(tried):
            results.add(*done.result())
    for mutant in chosen:
        if not build.holds(mutant):
            results.add(*attempt(mutant))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--only", default="", metavar="TEXT", help="mutants whose file or description contains TEXT")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--resume", action="store_true", help="with --json")
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

    chosen = [mutant for mutant in mutants if arguments.only in mutant.name]
    if not chosen:
        sys.exit(f"no mutant contains '{arguments.only}'")
    results = Results(arguments.json, arguments.resume)
    left = [mutant for mutant in chosen if not results.is_known(mutant)]
    if left:
        run(mutants, left, results, arguments)
    rows = [(mutant, results.rows[mutant.name]["outcome"]) for mutant in chosen]
    wrong = [(mutant, outcome) for mutant, outcome in rows if not verdict(mutant, outcome)]
    equivalent = sum(1 for mutant in chosen if mutant.equivalent)
    print(f"{len(rows)} mutants: {len(rows) - len(wrong) - equivalent} killed, {equivalent} equivalent, "
          f"{len(wrong)} survived or faulty")
    for mutant, outcome in wrong:
        print(f"  {mutant.name}: {outcome}\n    {mutant.text}\n -> {mutant.replacement}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
