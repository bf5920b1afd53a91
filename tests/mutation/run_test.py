#!/usr/bin/env python3
"""That a mutant applies to exactly one place, and that faults of the list are found."""

import pathlib
import sys
import tempfile

from mutant import Mutant, SourceTree
from run import copy_changed, verdict

SOURCE = "if (a) return;\nif (b &&\n    c) {\n  if (a) return;\n}\n"


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
    with tempfile.TemporaryDirectory() as folder:
        yield from faults_in(pathlib.Path(folder))


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
    copy_changed(tree, copy)
    before = (copy / "f.cc").stat().st_mtime_ns
    (copy / "stale").write_text("")
    (tree / "inner" / "g").write_text("h")
    copy_changed(tree, copy)
    if (copy / "stale").exists() or (copy / "inner" / "g").read_text() != "h":
        yield "the copy differs"
    if (copy / "f.cc").stat().st_mtime_ns != before:
        yield "an equal file is written again"


def main():
    found = list(faults())
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
