#!/usr/bin/env python3
"""Shows that check_names.py catches what it is there for: each case is a folder of two files."""

import pathlib
import tempfile
import unittest

import check_names

FILE = "namespace sluice::{around} {{\nnamespace {{\n\n{body}\n\n}}  // namespace\n}}  // namespace\n"


class Names(unittest.TestCase):
    def faults(self, first, second, around="dtls", folder="dtls/src/wire"):
        with tempfile.TemporaryDirectory() as name:
            root = pathlib.Path(name)
            (root / folder).mkdir(parents=True)
            (root / folder / "first.cc").write_text(FILE.format(around="dtls", body=first))
            (root / folder / "second.cc").write_text(FILE.format(around=around, body=second))
            return check_names.check(root)[0]

    def test_each_kind_of_definition(self):
        for definition in (
            "constexpr std::size_t kHeaderSize = 4;",
            "struct Message {\n  int type;\n};",
            "enum class Kind : std::uint8_t { a };",
            "using Change = int;",
            "tl::unexpected<Error> invalid(std::string_view detail) {\n  return {};\n}",
            "template <class Code>\nbool known(Code code) {\n  return true;\n}",
            "std::array<int, 4> table{};",
        ):
            faults = self.faults(definition, definition)
            self.assertEqual(1, len(faults), definition)
            self.assertIn("first.cc, second.cc", faults[0])

    def test_other_names(self):
        self.assertEqual([], self.faults("constexpr int kA = 1;", "constexpr int kB = 1;"))

    def test_other_namespaces_around(self):
        self.assertEqual([], self.faults("int size() { return 1; }", "int size() { return 2; }", around="srtp"))

    def test_what_a_function_holds(self):
        self.assertEqual([], self.faults("int a() {\n  int size = 1;\n}", "int b() {\n  int size = 1;\n}"))

    def test_folders_of_programs_of_one_file_each(self):
        self.assertEqual([], self.faults("int size() { return 1; }", "int size() { return 2; }", folder="tests/fuzz"))


if __name__ == "__main__":
    unittest.main()
