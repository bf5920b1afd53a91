"""The test programs: what fails in them with a mutant, and which test cases reach it at all."""

import json
import os
import re
import subprocess
import tempfile
import time

# A mutant that waits, loops or allocates for ever is noticed by these: seconds, seconds of processor time, bytes.
LIMITS = ("timeout", "600", "prlimit", "--cpu=120", f"--as={8 << 30}")

# The cheap test cases come first, in batches that run for so long; each takes twice the time of that before.
FIRST_BATCH = 0.5

WHOLE = ""  # in place of the name of a test case: all of the program


class Program:
    """An entry of ctest."""

    def __init__(self, entry, launcher):
        properties = {row["name"]: row["value"] for row in entry["properties"]}
        self.name = entry["name"]
        self.command = [word for word in entry["command"] if not word.startswith("--gtest_output")]
        self.is_gtest = any(word.startswith("--gtest") for word in self.command)
        self.folder = properties["WORKING_DIRECTORY"]
        self.environment = dict(pair.split("=", 1) for pair in properties.get("ENVIRONMENT", ()))
        self.launcher = launcher
        self.reached = {}  # by test case: the numbers of mutants, seconds

    def run(self, *arguments, **environment):
        return subprocess.run([*self.launcher, *LIMITS, *self.command, *arguments], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=self.folder, check=False,
                              env=os.environ | self.environment | {"GTEST_FAIL_FAST": "1"} | environment)

    def failure(self, cases=(WHOLE,), **environment):
        """What fails; None where nothing does."""
        chosen = () if WHOLE in cases else ("--gtest_filter=" + ":".join(cases),)
        done = self.run(*chosen, **environment)
        if done.returncode == 0:
            return None
        failed = re.search(rb"\[  FAILED  \] ([\w/]+\.[\w/]+)", done.stdout)
        return failed.group(1).decode() if failed else f"status {done.returncode}"

    def failure_with(self, number):
        """The same for a mutant: what does not reach it is left out."""
        if not self.reached:
            return self.failure(SLUICE_MUTANT=str(number))
        return next(filter(None, (self.failure(cases, SLUICE_MUTANT=str(number))
                                  for cases in batches_of(self.reached, number))), None)

    def cases(self):
        return cases_in(self.run("--gtest_list_tests").stdout.decode()) if self.is_gtest else [WHOLE]

    def record(self, case):
        """Learns what one test case reaches. What fails in it."""
        with tempfile.NamedTemporaryFile() as file:
            begun = time.monotonic()
            failure = self.failure((case,), SLUICE_REACHED=file.name)
            seconds = time.monotonic() - begun
            self.reached[case] = {"numbers": [int(line) for line in file], "seconds": round(seconds, 3)}
        return failure


def cases_in(listed):
    """The names in the output of --gtest_list_tests."""
    names, suite = [], ""
    for line in listed.splitlines():
        name = line.split("#")[0].rstrip()
        if line.startswith("  "):
            names.append(suite + name.strip())
        elif name.endswith("."):
            suite = name
    return names


def batches_of(reached, number):
    """The test cases that reach a mutant, the cheap ones first."""
    cases = sorted((row["seconds"], case) for case, row in reached.items() if number in row["numbers"])
    batch, left, limit = [], FIRST_BATCH, FIRST_BATCH
    for seconds, case in cases:
        batch.append(case)
        left -= seconds
        if left <= 0:
            yield batch
            limit *= 2
            batch, left = [], limit
    if batch:
        yield batch


def record_all(programs, pool, path):
    """Learns what all test cases of the programs reach, unless the file knows it of the same programs. What failed."""
    known = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    failures = []
    for program in programs:
        stamp = os.stat(program.command[0]).st_mtime_ns
        row = known.get(program.name, {})
        if row.get("stamp") == stamp:
            program.reached = row["reached"]
            continue
        cases = program.cases()
        failed = [f"{program.name}: {failure}" for failure in pool.map(program.record, cases) if failure]
        failures += failed
        print(f"{program.name}: {len(cases)} test cases", flush=True)
        if not failed:
            known[program.name] = {"stamp": stamp, "reached": program.reached}
            path.write_text(json.dumps(known), encoding="utf-8")
    return failures
