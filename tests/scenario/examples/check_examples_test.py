#!/usr/bin/env python3
"""Tests of check_examples.py."""

import unittest

from check_examples import check, throws

FILES = {"examples/a.cc": "int a;\nint b;\nint c;\n"}


def faults(page):
    return check(page, FILES.get)


class CheckExamples(unittest.TestCase):
    def test_a_part_of_the_file_is_right(self):
        self.assertEqual(faults("Text.\n\n<!-- examples/a.cc -->\n```cpp\nint b;\nint c;\n```\n"), [])

    def test_another_text_is_found(self):
        self.assertEqual(len(faults("<!-- examples/a.cc -->\n```cpp\nint  b;\n```\n")), 1)

    def test_each_block_is_looked_at(self):
        good = "<!-- examples/a.cc -->\n```cpp\nint a;\n```\n"
        self.assertEqual(len(faults(good + good.replace("int a", "int x") + good)), 1)

    def test_a_block_without_a_file_is_found(self):
        self.assertEqual(len(faults("```cpp\nint a;\n```\n")), 1)
        self.assertEqual(len(faults("<!-- examples/b.cc -->\n```cpp\nint a;\n```\n")), 1)

    def test_a_page_without_code_is_found(self):
        self.assertEqual(len(faults("Text.\n")), 1)

    def test_what_throws_by_a_peer_is_found(self):
        self.assertEqual(throws("server.answer(asked->question,\n  store.answer(*asked, now), now).value();"), ["answer"])
        self.assertEqual(throws("to.handle_datagram(x, y, now).value();"), ["handle_datagram"])

    def test_what_a_program_makes_at_its_start_may_throw(self):
        self.assertEqual(throws("dtls::Config::make(options).value(); c.answer(q, a, now); x.value();"), [])


if __name__ == "__main__":
    unittest.main()
