#!/usr/bin/env python3
"""That a mutant applies to one place, is switched with others, meets the test cases that reach it; what faults are."""

import pathlib
import sys
import tempfile

from mutant import Mutant, SourceTree
from program import batches_of, cases_in
from run import copy_changed, verdict
from switch import switched

SOURCE = "if (a) return;\nif (b &&\n    c) {\n  if (a) return;\n}\n"

FUNCTIONS = """
#include <f.h>
namespace n {  // {
constexpr int k = 1;
struct S { S() : a_{1} { b_ = 2; } };
template <class T>
int f() {
  if (g('{')) return 1;
  return 2;
}
consteval int h() { return 3; }
}
"""


def mutant(text, replacement="", equivalent="", checks="what"):
    return Mutant("f.cc", text, replacement, checks, ("t",), equivalent)


def faults():
    changed, fault = mutant("if (b && c) {", "if (c) {").apply(SOURCE)
    if fault or changed != "if (a) return;\nif (c) {\n  if (a) return;\n}\n":
        yield f"white space does not match other white space: {fault}, {changed}"
    for text in ("if (a) return;", "if (d)"):
        if not mutant(text).apply(SOURCE)[1]:
            yield f"a text that does not occur once is taken: {text}"
    if not mutant("if (b", "if (b").apply(SOURCE)[1]:
        yield "a mutant that changes nothing is taken"
    for outcome, in_order, in_order_if_equivalent in (("killed by t", True, False), ("survived", False, True),
                                                      ("does not compile", False, False)):
        if verdict(mutant("x"), outcome) != in_order:
            yield f"the verdict on '{outcome}'"
        if verdict(mutant("x", equivalent="because"), outcome) != in_order_if_equivalent:
            yield f"the verdict on '{outcome}' of an equivalent mutant"
    yield from faults_of_switch()
    yield from faults_of_programs()
    with tempfile.TemporaryDirectory() as folder:
        yield from faults_in(pathlib.Path(folder))


def faults_of_switch():
    changes = {1: ("return 1;", ""), 2: ("return 2;", "return 0;"), 3: ("b_ = 2;", ""), 4: ("k = 1", "k = 2"),
               5: ("a_{1}", "a_{2}"), 6: ("return 3;", "return 4;")}
    text, lines = switched(FUNCTIONS, {number: mutant(*change) for number, change in changes.items()})
    if lines.keys() != {1, 2, 3}:
        yield f"the mutants within functions that may run: {lines.keys()}"
    for number, (first, last) in lines.items():
        if f"chosen({number})" not in "\n".join(text.splitlines()[first - 1:last]):
            yield f"the lines of mutant {number} are elsewhere"
    if "if (sluice_mutation::chosen(3)) { } else { b_ = 2; }" not in " ".join(text.split()):
        yield f"a body with a mutant and the original: {text}"
    if switched(FUNCTIONS, {1: mutant("return", "")})[1]:
        yield "a mutant that does not apply is switched"


def faults_of_programs():
    listed = "Running main()\nA.\n  One\n  Two\nWith/B.  # TypeParam = int\n  Three/0  # GetParam() = x.\n"
    if cases_in(listed) != ["A.One", "A.Two", "With/B.Three/0"]:
        yield f"the test cases of a program: {cases_in(listed)}"
    reached = {"slow": {"numbers": [1, 2], "seconds": 9}, "cheap": {"numbers": [2], "seconds": 0.6},
               "other": {"numbers": [1], "seconds": 0.1}}
    if list(batches_of(reached, 2)) != [["cheap"], ["slow"]] or list(batches_of(reached, 3)):
        yield "the test cases that reach a mutant, the cheap ones first"


def faults_in(folder):
    tree, copy = folder / "tree", folder / "copy"
    (tree / "inner").mkdir(parents=True)
    (tree / "f.cc").write_text(SOURCE)
    (tree / "inner" / "g").write_text("g")
    if SourceTree(tree).faults([mutant("if (b &&")]):
        yield "a mutant that applies is a fault"
    if len(SourceTree(tree).faults([mutant("if (b &&"), mutant("c) {")])) != 1:
        yield "two mutants of one name are no fault"
    if not SourceTree(folder).faults([mutant("if (b &&")]):
        yield "a missing file is no fault"
    copy_changed(tree, copy, {})
    before = (copy / "f.cc").stat().st_mtime_ns
    (copy / "stale").write_text("")
    (tree / "inner" / "g").write_text("h")
    (tree / "changed").write_text("")
    copy_changed(tree, copy, {copy / "changed": "c"})
    if (copy / "stale").exists() or (copy / "inner" / "g").read_text() != "h" or (copy / "changed").read_text() != "c":
        yield "the copy differs"
    if (copy / "f.cc").stat().st_mtime_ns != before:
        yield "an equal file is written again"


def main():
    found = list(faults())
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
