"""One source that holds all mutants of a file: the environment chooses one of them when a test starts.

The body of a function with mutants becomes `if (sluice_mutation::chosen(17)) {changed body} else {original body}`. The
tree is so compiled once, and a mutant costs no more than the tests that it runs.
"""

import pathlib
import re

HEADER = pathlib.Path(__file__).with_name("switch.h")

# Braces and semicolons in these are none.
NO_CODE = re.compile(r'^\s*#[^\n]*|//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])\'', re.S | re.M)
TEMPLATE = re.compile(r"\btemplate\s*<[^{;]*?>\s*(?=\w)")
SCOPE = re.compile(r"\s*(\w+:\s*)?(inline\s+)?(namespace|class|struct|union|enum|extern)\b[^()]*$")


def function_bodies(source):
    """What is between the braces of each outermost function, as (begin, end)."""
    code = NO_CODE.sub(lambda match: " " * len(match.group()), source)
    bodies, depth_of_body, head, begin = [], 0, 0, 0
    for brace in re.finditer(r"[{};]", code):
        place, sign = brace.start(), brace.group()
        if depth_of_body:
            depth_of_body += {"{": 1, "}": -1, ";": 0}[sign]
            if depth_of_body == 0 and is_function(code[head:begin - 1]):
                bodies.append((begin, place))
        elif sign == "{" and not SCOPE.match(TEMPLATE.sub("", code[head:place])):
            depth_of_body, begin = 1, place + 1
            continue
        if depth_of_body == 0:
            head = place + 1
    return bodies


def is_function(head):
    """Whether a brace after this opens the body of a function that may run: no initializer."""
    return head[-1:].isspace() and not re.search(r"\bconsteval\b|=\s*$", head)


def body_with(changed, source, bodies):
    """(the body in which `changed` differs from `source`, its changed text), or None."""
    for begin, end in bodies:
        after = len(source) - end
        if changed.startswith(source[:begin]) and changed.endswith(source[end:]) and len(changed) >= begin + after:
            return (begin, end), changed[begin:len(changed) - after]
    return None


def switched(source, mutants):
    """(the source with all of `mutants`, a dictionary by number; the lines (first, last) of each that it holds)."""
    bodies = function_bodies(source)
    variants = {}
    for number, mutant in mutants.items():
        changed, fault = mutant.apply(source)
        found = None if fault else body_with(changed, source, bodies)
        if found:
            variants.setdefault(found[0], []).append((number, found[1]))
    lines = {}
    text, done = f'#include "{HEADER}"\n', 0
    for (begin, end), changes in sorted(variants.items()):
        text += source[done:begin]
        for number, body in changes:
            first = text.count("\n") + 1
            text += f" if (sluice_mutation::chosen({number})) {{{body}}} else "
            lines[number] = (first, text.count("\n") + 1)
        text += "{" + source[begin:end] + "}"
        done = end
    return text + source[done:], lines
