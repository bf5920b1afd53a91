"""Reads as much C++ as the structure check needs: where functions begin and end, and what types declare.

It relies on the house's format (clang-format) and is no compiler: macros that open or close a brace would mislead it.
"""

import dataclasses
import re

# Comments, literals and preprocessor lines. A raw string comes before an ordinary one.
_NOISE = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"(?P<mark>[^()\s]*)\(.*?\)(?P=mark)"|"(?:\\.|[^"\\\n])*"|'
    r"(?<![0-9A-Fa-f])'(?:\\.|[^'\\\n])+'|^[ \t]*#(?:\\\n|[^\n])*",
    re.DOTALL | re.MULTILINE,
)
_TYPE = re.compile(r"^(?:template\s*<.*?>\s*)?(?:requires\b[^;{]*?)?(?:typedef\s+)?(class|struct|union)\b(?!.*\)\s*$)", re.DOTALL)
_SCOPE = re.compile(r"^(?:inline\s+)?namespace\b|^extern\b[^()]*$|^export\b")
_ENUM = re.compile(r"^enum\b")
_ACCESS = re.compile(r"^(public|protected|private)\s*:(?!:)\s*")
_NO_MEMBER = re.compile(r"^(using|typedef|friend|static_assert|enum|concept)\b")
_TEMPLATE = re.compile(r"^template\s*(?=<)")
_POINTER_TO_FUNCTION = re.compile(r"\(\s*\*\s*\w+\s*\)")


@dataclasses.dataclass
class Function:
    name: str
    line: int
    lines: int


@dataclasses.dataclass
class Type:
    name: str
    line: int
    public_data: int = 0
    private_functions: int = 0


def _blank(match):
    """The noise without its text; its lines stay, and a literal leaves something where it stood."""
    text = match.group()
    return ('""' if text[0] in "\"'R" else "") + "\n" * text.count("\n")


def _without(text, opening, closing):
    """The text without what stands in balanced brackets."""
    out, depth = [], 0
    for character in text:
        if character == opening:
            depth += 1
        elif character == closing and depth > 0:
            depth -= 1
        elif depth == 0:
            out.append(character)
    return "".join(out)


def _without_first_brackets(text):
    """The text behind the angle brackets that it begins with."""
    depth = 0
    for at, character in enumerate(text):
        depth += (character == "<") - (character == ">")
        if depth == 0:
            return text[at + 1 :].lstrip()
    return ""


def _without_templates(text):
    # Operators are no brackets.
    text = re.sub(r"->|<=>|<=|>=|<<|operator\s*[<>]", " ", text)
    return _without(text, "<", ">")


def _is_function(statement):
    """Whether a statement of a class declares a function; it has no body any more."""
    plain = _without_templates(re.sub(r"\[\[.*?\]\]", "", statement, flags=re.DOTALL))
    plain = re.sub(r"\b(alignas|decltype|noexcept|explicit)\s*\([^()]*\)", "", plain)
    plain = re.sub(r"\boperator\s*(\(\)|[^\w\s(]+)", "function", plain)
    if _POINTER_TO_FUNCTION.search(plain):
        return False
    return "(" in re.split(r"[={]", plain, maxsplit=1)[0]


def _data_members(statement):
    """How many data members a statement of a class declares."""
    plain = re.sub(r"\[\[.*?\]\]", "", statement, flags=re.DOTALL)
    plain = _POINTER_TO_FUNCTION.sub(" pointer ", plain)
    for brackets in ("{}", "()", "[]"):
        plain = _without(plain, *brackets)
    return 1 + _without_templates(plain).count(",")


def _name_of_type(head):
    head = re.sub(r"\[\[.*?\]\]|\balignas\s*\([^()]*\)", "", head, flags=re.DOTALL)
    found = re.search(r"\b(?:class|struct|union)\s+([\w:]+)", head)
    return found.group(1) if found else "(unnamed)"


def _name_of_function(head):
    found = re.search(r"([\w:~]+|operator\s*\S+?)\s*\(", _without_templates(head))
    return found.group(1) if found else head.split("\n")[0].strip()


class _Reader:
    def __init__(self, text):
        self.text = _NOISE.sub(_blank, text)
        self.functions = []
        self.types = []

    def line(self, at):
        return self.text.count("\n", 0, at) + 1

    def skip_braces(self, at):
        """Behind the brace that closes the one at `at`."""
        depth = 0
        for at in range(at, len(self.text)):
            if self.text[at] == "{":
                depth += 1
            elif self.text[at] == "}":
                depth -= 1
                if depth == 0:
                    return at + 1
        return len(self.text)

    def read(self, at=0, owner=None, access="public"):
        """Reads statements from `at` to the end of their scope and returns where that is."""
        start, parentheses = None, 0
        while at < len(self.text):
            character = self.text[at]
            if start is None:
                if character.isspace() or character == ";":
                    at += 1
                    continue
                if character == "}":
                    return at + 1
                if owner is not None and (match := _ACCESS.match(self.text[at : at + 20])):
                    access = match.group(1)
                    at += match.end()
                    continue
                start, parentheses = at, 0
            if character in "(":
                parentheses += 1
            elif character == ")":
                parentheses -= 1
            elif parentheses == 0 and character == ";":
                self.statement(self.text[start:at], owner, access)
                start = None
            elif parentheses == 0 and character == "{":
                at, ended = self.brace(start, at, owner, access)
                start = None if ended else start
                continue
            elif parentheses > 0 and character == "{":
                at = self.skip_braces(at)
                continue
            at += 1
        return at

    def brace(self, start, at, owner, access):
        """A brace after the words from `start`: where to read on, and whether the statement has ended."""
        head = self.text[start:at].strip()
        if _SCOPE.match(head):
            return self.read(at + 1), True
        if _TYPE.match(head) and "=" not in _without_templates(head):
            kind = _TYPE.match(head).group(1)
            declared = Type(_name_of_type(head), self.line(start))
            self.types.append(declared)
            return self.read(at + 1, declared, "private" if kind == "class" else "public"), True
        behind = self.skip_braces(at)
        if _ENUM.match(head) or not self.is_body(head):
            return behind, False
        # A member initialiser's braces are followed by more of them, or by the body.
        if re.match(r"\s*[,{]", self.text[behind:]) and re.search(r"\)\s*(?:noexcept\s*)?:[^:]", head):
            return behind, False
        self.functions.append(Function(_name_of_function(head), self.line(start), self.line(behind) - self.line(start) + 1))
        if owner is not None and access == "private":
            owner.private_functions += 1
        return behind, True

    @staticmethod
    def is_body(head):
        """Whether a brace behind these words opens a function."""
        plain = re.sub(r"\[\[.*?\]\]", "", head, flags=re.DOTALL)
        return _is_function(plain)

    def statement(self, text, owner, access):
        if match := _TEMPLATE.match(text):
            text = _without_first_brackets(text[match.end() :])
        if owner is None or _NO_MEMBER.match(text):
            return
        if re.match(r"(class|struct|union)\s+[\w:]+\s*$", text):
            return
        if _is_function(text):
            owner.private_functions += access == "private"
        elif access == "public" and not re.match(r"(inline\s+|constexpr\s+)*static\b", text):
            owner.public_data += _data_members(text)


def read(text):
    """The functions that a source defines, and its types."""
    reader = _Reader(text)
    reader.read()
    return reader.functions, reader.types
