"""One small change of a source file, and the lists of them in mutants/*.py."""

import dataclasses
import importlib.util
import pathlib
import re
import zlib


@dataclasses.dataclass(frozen=True)
class Mutant:
    """`text` in `file` is replaced by `replacement`; one of `tests` must fail then.

    White space in `text` matches any white space. `checks` says what the original does. `equivalent` is the reason why no
    test can notice the change; empty for all others.
    """

    file: str
    text: str
    replacement: str
    checks: str
    tests: tuple
    equivalent: str = ""

    @property
    def name(self):
        return f"{self.file}: {self.checks}"

    @property
    def number(self):
        """The same whatever other mutants there are, so that a new one makes nothing else be built again."""
        return zlib.crc32(self.name.encode()) >> 1

    def apply(self, source):
        """(the changed source, None), or (None, what is wrong)."""
        pattern = r"\s+".join(re.escape(word) for word in self.text.split())
        found = list(re.finditer(pattern, source))
        if len(found) != 1:
            return None, f"its text occurs {len(found)} times"
        [match] = found
        if match.group() == self.replacement:
            return None, "it changes nothing"
        return source[: match.start()] + self.replacement + source[match.end():], None


def mutants_of(file, tests, *rows):
    """The mutants of one file: rows of (text, replacement, what it checks[, why it is equivalent])."""
    return [Mutant(file, row[0], row[1], row[2], tuple(dict.fromkeys(tests.split())), *row[3:]) for row in rows]


def load():
    mutants = []
    for path in sorted((pathlib.Path(__file__).parent / "mutants").glob("*.py")):
        specification = importlib.util.spec_from_file_location(path.stem, path)
        module = importlib.util.module_from_spec(specification)
        specification.loader.exec_module(module)
        mutants += module.MUTANTS
    return mutants


class SourceTree:
    def __init__(self, root):
        self.root = root

    def faults(self, mutants):
        """What is wrong with the list, one line each."""
        faults = []
        names = set()
        for mutant in mutants:
            path = self.root / mutant.file
            if not path.is_file():
                faults.append(f"{mutant.name}: there is no such file")
                continue
            _, fault = mutant.apply(path.read_text(encoding="utf-8"))
            if fault:
                faults.append(f"{mutant.name}: {fault}: {mutant.text}")
            if mutant.name in names:
                faults.append(f"{mutant.name}: two mutants have this name")
            names.add(mutant.name)
        return faults
