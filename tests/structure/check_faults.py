#!/usr/bin/env python3
"""docs/faults.md has each of its rows once, and every test that it names exists.

A test is linked as [`Suite.Test`](file) for GoogleTest and as [`name`](file) for any other, whose name must occur in the
file. With --complete no row may be without a test.
"""

import pathlib
import re
import sys

ROWS = {"H": 12, "R": 12, "T": 13, "P": 7, "N": 9, "V": 4}
ROW = re.compile(r"^\| (?P<id>[A-Z]\d+) \|(?P<cells>.*)\|$", re.MULTILINE)
LINK = re.compile(r"\[`(?P<name>[\w./ -]+)`\]\((?P<file>[^)#]+)\)")


def is_in(name, text):
    suite, dot, test = name.partition(".")
    if dot and re.fullmatch(r"\w+", test):
        return re.search(rf"TEST(_P|_F)?\({suite},\s*{test}\)", text) is not None
    return name in text


def check(page, read, complete):
    """What is wrong with the text `page`; `read` gives a file's text, or None."""
    faults = []
    rows = list(ROW.finditer(page))
    found = sorted(row["id"] for row in rows)
    expected = sorted(f"{kind}{number}" for kind, count in ROWS.items() for number in range(1, count + 1))
    if found != expected:
        faults.append(f"rows: {sorted(set(expected).symmetric_difference(found)) or 'some twice'}")
    for row in rows:
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", row["cells"])]
        links = list(LINK.finditer(cells[-1]))
        if len(cells) != 3 or not cells[0] or not cells[1]:
            faults.append(f"{row['id']}: not four cells")
        if not links and (complete or cells[-1] != "—"):
            faults.append(f"{row['id']}: no test")
        for link in links:
            text = read(link["file"])
            if text is None:
                faults.append(f"{row['id']}: there is no {link['file']}")
            elif not is_in(link["name"], text):
                faults.append(f"{row['id']}: {link['file']} has no {link['name']}")
    return faults


def page_of(cell):
    """A page that is right but for the cell of one row."""
    ids = [f"{kind}{number}" for kind, count in ROWS.items() for number in range(1, count + 1)]
    return "\n".join(f"| {name} | a | b | {cell if name == 'H1' else '[`A.B`](f)'} |" for name in ids)


# What the check must catch, each of them alone.
BAD = (page_of("[`A.B`](g)"), page_of("[`A.C`](f)"), page_of("[`X.B`](f)"), page_of("[`other`](f)"), page_of("none"),
       page_of("—"), page_of("[`A.B`](f) |"), page_of("[`A.B`](f)").replace("| V4 |", "| V3 |"), "")
GOOD = (page_of("[`A.B`](f)"), page_of("[`A.B`](f), [`python`](f)"))


def main():
    docs = pathlib.Path(__file__).parents[2] / "docs"

    def read(name):
        path = docs / name
        return path.read_text(encoding="utf-8") if path.is_file() else None

    faults = check((docs / "faults.md").read_text(encoding="utf-8"), read, "--complete" in sys.argv[1:])
    example = {"f": "TEST(A, B) { python }"}.get
    faults += [f"the check took a fault for none: {page[:60]}" for page in BAD if not check(page, example, True)]
    faults += [f"the check took none for a fault: {page[:60]}" for page in GOOD if check(page, example, True)]
    if check(page_of("—"), example, False):
        faults.append("a row without a test is a fault without --complete")
    print("\n".join(faults))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
