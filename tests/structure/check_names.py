#!/usr/bin/env python3
"""Fails on a name that anonymous namespaces of two files of one folder both define.

A unity build compiles several files of a folder as one, so that such names collide as soon as a new file moves the
borders of the groups.

Usage: check_names.py [root of the tree]
"""

import collections
import pathlib
import re
import sys

import rules

ANONYMOUS = re.compile(r"^namespace \{\n(.*?)^\}  // namespace$", re.DOTALL | re.MULTILINE)
NAMED = re.compile(r"^(?:inline )?namespace ([\w:]+) \{", re.MULTILINE)
# A definition begins in the first column: a type, a function, a variable.
TYPE = re.compile(r"^(?:template <.*>\s*)?(?:struct|class|enum class|enum) (\w+)[^;]*\{", re.MULTILINE)
ALIAS = re.compile(r"^using (\w+) =", re.MULTILINE)
OTHER = re.compile(
    r"^(?!using |return |struct |class |enum |template |namespace |TEST|INSTANTIATE|#|//)"
    r"[A-Za-z_][\w:<>,\s*&\[\]]*?[\s*&](\w+)(?:\(|\{| = |\[)",
    re.MULTILINE,
)


def names_of(text):
    """What the anonymous namespaces of a file define, each name behind the namespace around it."""
    names = set()
    for found in ANONYMOUS.finditer(text):
        around = NAMED.findall(text, 0, found.start())
        for pattern in (TYPE, ALIAS, OTHER):
            names.update("::".join([*around[-1:], name]) for name in pattern.findall(found.group(1)))
    return names


def check(root):
    """Every fault of the tree, as lines 'folder: what'; and how many files were read."""
    faults, files = [], 0
    by_folder = collections.defaultdict(lambda: collections.defaultdict(list))
    for module in sorted({unit.split("/")[0] for unit in rules.ARROWS}):
        for path in sorted((root / module).rglob("*.cc")):
            if "node_modules" in path.parts:
                continue
            files += 1
            relative = path.relative_to(root)
            if str(relative.parent) in rules.ONE_TARGET_PER_FILE:
                continue
            for name in names_of(path.read_text(encoding="utf-8")):
                by_folder[str(relative.parent)][name].append(path.name)
    for folder, names in sorted(by_folder.items()):
        for name, where in sorted(names.items()):
            if len(where) > 1:
                faults.append(f"{folder}: {name} is defined in the anonymous namespaces of {', '.join(where)}")
    return faults, files


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parents[2])
    faults, files = check(root)
    for fault in faults:
        print(fault)
    print(f"{files} files, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
