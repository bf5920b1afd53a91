#!/usr/bin/env python3
"""Reads every source of the tree and fails on an include that the design does not have, on a cycle of includes, and on
a file, function or type that is too large.

Usage: check_structure.py [root of the tree]
"""

import functools
import pathlib
import re
import sys

import cpp_source
import rules

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
STANDARD = re.compile(r"^[a-z_0-9]+$|^(assert|errno|inttypes|limits|math|signal|stddef|stdint|stdio|stdlib|string|time)\.h$")
TOP_FOLDERS = sorted({unit.split("/")[0] for unit in rules.ARROWS})
# A module has an include/ or a src/, or is a top folder.
MODULES = sorted({re.split("/(?:include|src)(?:/|$)", unit)[0] for unit in rules.ARROWS} | set(TOP_FOLDERS))


def unit_of(path):
    """The unit that a file belongs to: the longest that is a folder above it."""
    folders = {str(parent) for parent in path.parents}
    return max((unit for unit in rules.ARROWS if unit in folders), key=len, default=None)


def reachable(unit):
    seen, todo = set(), [unit]
    while todo:
        current = todo.pop()
        if current not in seen:
            seen.add(current)
            todo += rules.ARROWS[current]
    return seen


def starts_with(name, prefixes):
    return any(prefix == "*" or name.startswith(prefix) for prefix in prefixes)


def resolve(root, path, name, quoted):
    """The file of the tree that an include means, or None if it comes from outside."""
    beside = _find(root, (path.parent,), name) if quoted else None
    return beside or _find_in_modules(root, name)


@functools.cache
def _find_in_modules(root, name):
    folders = [pathlib.Path(module, part) for module in MODULES for part in ("include", "src", "")]
    return _find(root, (*folders, pathlib.Path()), name)


def _find(root, folders, name):
    for folder in folders:
        # No resolve(): a link in the tree stays what it is called.
        candidate = pathlib.Path(*_normal((folder / name).parts))
        if (root / candidate).is_file():
            return candidate
    return None


def _normal(parts):
    out = []
    for part in parts:
        if part == ".." and out:
            out.pop()
        else:
            out.append(part)
    return out


def check_include(root, path, unit, name, quoted):
    """What is wrong with this include, or None."""
    target = resolve(root, path, name, quoted)
    if target is None:
        if name.startswith("sluice/"):
            return "there is no such public header"
        if starts_with(name, rules.FORBIDDEN.get(unit, [])):
            return f"{unit} must not include this library"
        allowed = rules.OUTSIDE.get(unit, []) + rules.OUTSIDE_OF_FILE.get(str(path), [])
        if STANDARD.match(name) or starts_with(name, allowed):
            return None
        return f"{unit} must not include headers from outside but {rules.OUTSIDE.get(unit, []) or 'the standard ones'}"
    target_unit = unit_of(target)
    if target_unit is None:
        return f"{target} belongs to no unit of the design"
    if target_unit not in reachable(unit):
        return f"wrong arrow: {unit} must not include {target_unit}"
    return None


def check_length(lines):
    if len(lines) <= rules.MAX_LINES:
        return None
    # The excuse may run over the end of a comment line.
    head = " ".join(re.sub(r"[/*#\s]+", " ", line).strip() for line in lines[: rules.EXCUSE_WITHIN])
    if rules.EXCUSE in head:
        return None
    return f"{len(lines)} lines; split it, or say in its head that it is {rules.EXCUSE} ..."


def check_sizes(path, text):
    """Every function and type of the source that is too large, as (line, what)."""
    functions, types = cpp_source.read(text)
    for function in functions:
        if function.lines > rules.MAX_FUNCTION_LINES:
            yield function.line, f"{function.name}: a function of {function.lines} lines, above {rules.MAX_FUNCTION_LINES}"
    for declared in types:
        limit = rules.MAX_PUBLIC_DATA
        if path.is_relative_to(rules.LIMITED_TYPES) and declared.public_data > limit:
            yield declared.line, f"{declared.name}: {declared.public_data} public data members, above {limit}"
        limit = rules.MAX_PRIVATE_FUNCTIONS.get(declared.name)
        if limit is not None and declared.private_functions > limit:
            yield declared.line, f"{declared.name}: {declared.private_functions} private member functions, above {limit}"


def check_folders(root):
    """The folders that have more lines of code than the documents promise."""
    for folder, most in rules.MAX_CODE_LINES.items():
        texts = [(root / path).read_text(encoding="utf-8") for path in sources(root) if path.is_relative_to(folder)]
        lines = [line.strip() for text in texts for line in text.splitlines()]
        count = sum(line != "" and not line.startswith("//") for line in lines)
        if count > most:
            yield f"{folder}:1: {count} lines of code, above {most}"


def cycle(graph):
    """The nodes of one cycle of the graph, the first again at the end; empty when there is none."""
    done = set()
    for first in sorted(graph):
        way = [(first, iter(sorted(graph.get(first, ()))))]
        while way and first not in done:
            node, targets = way[-1]
            on_way = [step for step, _ in way]
            target = next((target for target in targets if target not in done), None)
            if target is None:
                done.add(node)
                way.pop()
            elif target in on_way:
                return on_way[on_way.index(target) :] + [target]
            else:
                way.append((target, iter(sorted(graph.get(target, ())))))
    return []


def check_cycles(includes):
    """The faults of a graph of files: cycles between them and between their units."""
    units = {}
    for source, targets in includes.items():
        for target in targets:
            if unit_of(source) != unit_of(target):
                units.setdefault(unit_of(source), set()).add(unit_of(target))
    for graph in (includes, units):
        if steps := cycle(graph):
            yield f"{steps[0]}:1: a cycle of includes: " + " -> ".join(map(str, steps))


def sources(root):
    for folder in TOP_FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in (".h", ".cc") and path.is_file() and "node_modules" not in path.parts:
                yield path.relative_to(root)


def check(root):
    """Every fault of the tree, as lines 'file:line: what'; and how many files and includes were read."""
    _find_in_modules.cache_clear()  # the tree may have changed since the last call
    faults, files, includes, graph = [], 0, 0, {}
    for path in sources(root):
        files += 1
        text = (root / path).read_text(encoding="utf-8")
        lines = text.splitlines()
        faults += [f"{path}:{line}: {fault}" for line, fault in check_sizes(path, text)]
        if fault := check_length(lines):
            faults.append(f"{path}:1: {fault}")
        unit = unit_of(path)
        if unit is None:
            faults.append(f"{path}:1: the file belongs to no unit of the design")
            continue
        for number, line in enumerate(lines, 1):
            if match := INCLUDE.match(line):
                includes += 1
                bracket, name = match.groups()
                if fault := check_include(root, path, unit, name, bracket == '"'):
                    faults.append(f"{path}:{number}: {name}: {fault}")
                elif target := resolve(root, path, name, bracket == '"'):
                    graph.setdefault(path, set()).add(target)
    faults += check_cycles(graph)
    faults += check_folders(root)
    return faults, files, includes


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parents[2])
    faults, files, includes = check(root)
    for fault in faults:
        print(fault)
    print(f"{files} files, {includes} includes, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
