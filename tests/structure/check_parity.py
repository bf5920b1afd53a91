#!/usr/bin/env python3
"""Every test that docs/parity.md names is in the file that it links to."""

import pathlib
import re
import sys

LINK = re.compile(r"\[`(?P<suite>\w+)\.(?P<test>\w+)`\]\((?P<file>[^)]+)\)")


def check(page, read):
    """What is wrong with the text `page`; `read` gives a file's text, or None."""
    faults = []
    links = list(LINK.finditer(page))
    if not links:
        faults.append("no test is named")
    for link in links:
        text = read(link["file"])
        if text is None:
            faults.append(f"there is no {link['file']}")
        elif not re.search(rf"TEST(_P|_F)?\({link['suite']},\s*{link['test']}\)", text):
            faults.append(f"{link['file']} has no {link['suite']}.{link['test']}")
    return faults


def main():
    docs = pathlib.Path(__file__).parents[2] / "docs"

    def read(name):
        path = docs / name
        return path.read_text(encoding="utf-8") if path.is_file() else None

    faults = check((docs / "parity.md").read_text(encoding="utf-8"), read)
    faults += [f"the check took a fault for none: {page}" for page in BAD if not check(page, {"f": "TEST(A, B) {"}.get)]
    print("\n".join(faults))
    return 1 if faults else 0


# What the check must catch.
BAD = ("", "[`A.B`](g)", "[`A.C`](f)", "[`X.B`](f)")

if __name__ == "__main__":
    sys.exit(main())
