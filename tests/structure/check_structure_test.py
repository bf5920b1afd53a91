#!/usr/bin/env python3
"""Shows that check_structure.py catches what it is there for: each case is a tree of a few files."""

import pathlib
import tempfile
import unittest

import check_structure
import cpp_source
import rules

# Every unit has one header; public ones are found under sluice/.
HEADERS = [
    "dtls/include/sluice/dtls/error.h",
    "srtp_bridge/include/sluice/srtp/session.h",
    "ice_glue/transport/include/sluice/transport/classify.h",
    "ice_glue/nice/include/sluice/nice/nice_transport.h",
    "srtp_bridge/src/context.h",
    "ice_glue/transport/src/path_table.h",
    "ice_glue/nice/src/ice_agent.h",
    "interop/common/clock.h",
    "interop/tools/poller.h",
    "interop/demo/call.h",
    "tests/support/peer.h",
] + [f"dtls/src/{unit}/{unit}.h" for unit in
     ("wire", "crypto", "schedule", "message", "record", "flight", "handshake", "connection",
      "endpoint")]


class Structure(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        for name in HEADERS:
            self.write(name, "#pragma once\n")

    def write(self, path, text):
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text)

    def faults(self, path, text):
        self.write(path, text)
        found = check_structure.check(self.root)[0]
        (self.root / path).unlink()
        return found

    def allowed(self, path, include):
        self.assertEqual([], self.faults(path, f"#include {include}\n"))

    def refused(self, path, include, because):
        faults = self.faults(path, f"\n#  include {include}  // why\n")
        self.assertEqual(1, len(faults), faults)
        self.assertIn(f"{path}:2:", faults[0])
        self.assertIn(because, faults[0])

    def test_every_pair_of_engine_folders(self):
        below = {
            "wire": "", "crypto": "", "schedule": "crypto", "message": "wire", "record": "crypto wire",
            "flight": "message record crypto wire", "handshake": "flight schedule message record crypto wire",
            "connection": "handshake flight schedule message record crypto wire",
            "endpoint": "connection handshake flight schedule message record crypto wire",
        }
        for source, targets in below.items():
            for target in below:
                path, include = f"dtls/src/{source}/a.cc", f'"{target}/{target}.h"'
                with self.subTest(source=source, target=target):
                    if target == source or target in targets.split():
                        self.allowed(path, include)
                    else:
                        self.refused(path, include, "wrong arrow")

    def test_detours_are_seen(self):
        self.refused("dtls/src/wire/a.cc", '"../crypto/crypto.h"', "wrong arrow")
        self.refused("dtls/src/message/deep/a.h", '"crypto/crypto.h"', "wrong arrow")
        self.refused("dtls/src/wire/a.cc", '"dtls/src/record/record.h"', "wrong arrow")
        self.refused("dtls/src/wire/a.cc", "<record/record.h>", "wrong arrow")

    def test_public_headers(self):
        self.allowed("dtls/src/wire/a.cc", "<sluice/dtls/error.h>")
        self.allowed("dtls/include/sluice/dtls/a.h", "<tl/expected.hpp>")
        self.allowed("srtp_bridge/include/sluice/srtp/a.h", "<sluice/dtls/error.h>")
        self.refused("dtls/include/sluice/dtls/a.h", "<sluice/srtp/session.h>", "wrong arrow")
        self.refused("dtls/include/sluice/dtls/a.h", '"wire/wire.h"', "wrong arrow")
        self.refused("dtls/include/sluice/dtls/a.h", "<openssl/evp.h>", "from outside")
        self.refused("srtp_bridge/include/sluice/srtp/a.h", "<srtp2/srtp.h>", "from outside")
        for library in ("transport", "nice"):
            for header in ("<nice/agent.h>", "<glib.h>"):
                self.refused(f"ice_glue/{library}/include/sluice/{library}/a.h", header, "from outside")
        self.refused("interop/demo/a.cc", "<sluice/dtls/missing.h>", "no such public header")

    def test_modules(self):
        self.allowed("srtp_bridge/src/a.cc", "<sluice/dtls/error.h>")
        self.refused("srtp_bridge/src/a.cc", '"crypto/crypto.h"', "wrong arrow")
        self.refused("dtls/src/connection/a.cc", "<sluice/srtp/session.h>", "wrong arrow")
        self.allowed("ice_glue/transport/src/a.cc", "<sluice/srtp/session.h>")
        self.refused("ice_glue/transport/src/a.cc", '"context.h"', "wrong arrow")
        self.refused("srtp_bridge/src/a.cc", "<sluice/transport/classify.h>", "wrong arrow")
        self.allowed("ice_glue/nice/src/a.cc", "<sluice/transport/classify.h>")
        self.refused("ice_glue/nice/src/a.cc", '"path_table.h"', "wrong arrow")
        self.refused("ice_glue/transport/src/a.cc", "<sluice/nice/nice_transport.h>", "wrong arrow")
        self.refused("ice_glue/transport/src/a.cc", '"ice_agent.h"', "wrong arrow")
        self.allowed("interop/demo/a.cc", "<sluice/transport/classify.h>")
        self.allowed("interop/demo/a.cc", "<sluice/nice/nice_transport.h>")
        self.refused("interop/demo/a.cc", '"ice_agent.h"', "wrong arrow")
        self.refused("interop/demo/a.cc", '"connection/connection.h"', "wrong arrow")
        self.refused("interop/demo/a.cc", '"tests/support/peer.h"', "wrong arrow")
        self.allowed("interop/demo/a.cc", '"common/clock.h"')
        self.refused("interop/demo/a.cc", '"tools/poller.h"', "wrong arrow")
        self.allowed("interop/tools/a.cc", "<sluice/dtls/error.h>")
        self.allowed("interop/tools/a.cc", '"common/clock.h"')
        self.refused("interop/tools/a.cc", "<sluice/transport/classify.h>", "wrong arrow")
        self.refused("interop/tools/a.cc", '"demo/call.h"', "wrong arrow")
        self.refused("interop/common/a.cc", "<sluice/srtp/session.h>", "wrong arrow")
        self.refused("interop/common/a.cc", '"tools/poller.h"', "wrong arrow")
        self.refused("dtls/src/wire/a.cc", '"support/peer.h"', "wrong arrow")
        self.allowed("tests/unit/a_test.cc", '"handshake/handshake.h"')
        self.allowed("bench/a.cc", '"support/peer.h"')

    def test_libraries_have_one_home(self):
        self.allowed("dtls/src/crypto/a.cc", "<openssl/evp.h>")
        self.allowed("srtp_bridge/src/a.cc", "<srtp2/srtp.h>")
        self.allowed("ice_glue/nice/src/a.cc", "<nice/agent.h>")
        self.allowed("ice_glue/nice/src/a.cc", "<glib.h>")
        self.allowed("interop/demo/a.cc", "<httplib.h>")
        self.refused("interop/tools/a.cc", "<httplib.h>", "from outside")
        for unit in rules.ARROWS:
            for library, homes in {
                "<openssl/evp.h>": ("dtls/src/crypto", "docs/examples", "tests", "bench"),
                "<openssl/ssl.h>": ("tests", "bench"),
                "<openssl/ssl3.h>": ("tests", "bench"),
                "<srtp2/srtp.h>": ("srtp_bridge/src", "tests", "bench"),
                "<glib.h>": ("ice_glue/nice/src", "interop/demo", "tests", "bench"),
                "<nice/agent.h>": ("ice_glue/nice/src", "tests", "bench"),
                "<lmdb.h>": ("session_stores/src", "tests", "bench"),
                "<hiredis/hiredis.h>": ("session_stores/src", "interop/common/redis", "tests", "bench"),
                "<sys/socket.h>": ("ice_glue/nice/src", "ice_glue/udp/src", "ice_glue/tcp/src", "interop/common",
                                   "interop/common/http", "interop/common/lite", "interop/tools", "interop/demo",
                                   "interop/peers", "docs/examples", "tests", "bench"),
            }.items():
                with self.subTest(unit=unit, library=library):
                    if unit in homes:
                        self.allowed(f"{unit}/a.cc", library)
                    else:
                        self.refused(f"{unit}/a.cc", library, "include")

    def test_engine_uses_the_standard_library(self):
        for include in ("<span>", "<cstdint>", "<stdint.h>"):
            self.allowed("dtls/src/wire/a.cc", include)
        self.refused("dtls/src/wire/a.cc", "<tl/expected.hpp>", "from outside")
        self.refused("dtls/src/wire/a.cc", "<unistd.h>", "from outside")

    def test_a_folder_that_is_promised_to_be_short(self):
        folder = "interop/sfu/forwarding"
        for number in range(3):
            self.write(f"{folder}/part{number}.cc", "// why\n\n" + "int x;\n" * (rules.MAX_LINES - 2))
        most = rules.MAX_CODE_LINES[folder] - 3 * (rules.MAX_LINES - 2)
        self.assertEqual([], self.faults(f"{folder}/a.cc", "int x;\n" * most))
        self.assertIn("lines of code", self.faults(f"{folder}/a.cc", "int x;\n" * (most + 1))[0])

    def test_a_folder_that_the_design_does_not_have(self):
        faults = self.faults("dtls/src/extra/a.cc", "")
        self.assertIn("belongs to no unit", faults[0])

    def test_length(self):
        self.assertEqual([], self.faults("dtls/src/wire/a.cc", "\n" * rules.MAX_LINES))
        self.assertIn("501 lines", self.faults("dtls/src/wire/a.cc", "\n" * 501)[0])
        self.assertEqual([], self.faults("dtls/src/wire/a.cc", "// It is longer than 500\n// lines because it is a table.\n" + "\n" * 501))
        self.assertEqual(1, len(self.faults("dtls/src/wire/a.cc", "\n" * 501 + f"// {rules.EXCUSE}\n")))

    def test_length_of_functions(self):
        def body(lines):
            return "int f(int x) {\n" + "  g();\n" * (lines - 2) + "}\n"

        self.assertEqual([], self.faults("dtls/src/wire/a.cc", body(rules.MAX_FUNCTION_LINES)))
        faults = self.faults("dtls/src/wire/a.cc", "\n" + body(rules.MAX_FUNCTION_LINES + 1))
        self.assertEqual(1, len(faults), faults)
        self.assertIn("dtls/src/wire/a.cc:2: f: a function of 61 lines", faults[0])

    def test_public_data_members(self):
        def text(count):
            return "struct S {\n" + "  int a = 0;\n" * count + "};\n"

        self.assertEqual([], self.faults("dtls/src/wire/a.h", text(rules.MAX_PUBLIC_DATA)))
        self.assertEqual([], self.faults("dtls/include/sluice/dtls/a.h", text(rules.MAX_PUBLIC_DATA + 1)))
        faults = self.faults("dtls/src/wire/a.h", text(rules.MAX_PUBLIC_DATA + 1))
        self.assertIn("a.h:1: S: 13 public data members", faults[0])

    def test_private_member_functions(self):
        rules.MAX_PRIVATE_FUNCTIONS["Few"] = 1
        self.addCleanup(rules.MAX_PRIVATE_FUNCTIONS.pop, "Few")
        self.assertEqual([], self.faults("dtls/src/wire/a.h", "class Few {\n  void f();\n};\n"))
        self.assertIn("Few: 2 private", self.faults("dtls/src/wire/a.h", "class Few {\n  void f();\n  int g() const;\n};\n")[0])

    def test_cycles_of_includes(self):
        self.write("dtls/src/wire/a.h", '#include "wire/b.h"\n')
        self.write("dtls/src/wire/b.h", '#include "wire/wire.h"\n')
        self.assertEqual([], check_structure.check(self.root)[0])
        self.write("dtls/src/wire/b.h", '#include "wire/c.h"\n')
        self.write("dtls/src/wire/c.h", '#include "wire/a.h"\n')
        faults = check_structure.check(self.root)[0]
        self.assertEqual(1, len(faults), faults)
        self.assertIn("a.h -> dtls/src/wire/b.h -> dtls/src/wire/c.h -> dtls/src/wire/a.h", faults[0])

    def test_cycles_of_folders(self):
        a, b = pathlib.Path("dtls/src/wire/a.h"), pathlib.Path("dtls/src/crypto/b.h")
        c, d = pathlib.Path("dtls/src/crypto/c.h"), pathlib.Path("dtls/src/wire/d.h")
        self.assertEqual([], list(check_structure.check_cycles({a: {b}, d: {c}})))
        self.assertIn("dtls/src/crypto -> dtls/src/wire", list(check_structure.check_cycles({a: {b}, c: {d}}))[0])


class Source(unittest.TestCase):
    def types(self, text):
        return {one.name: (one.public_data, one.private_functions) for one in cpp_source.read(text)[1]}

    def functions(self, text):
        return {one.name: one.lines for one in cpp_source.read(text)[0]}

    def test_what_is_a_data_member(self):
        for member, count in {
            "int a;": 1,
            "int a = f(1), b{2};": 2,
            "std::map<int, std::function<void(int, int)>> a = {};": 1,
            "std::vector<int> a{f(), g()};": 1,
            "const std::string& a;": 1,
            "std::array<int, 4> a = {1, 2, 3, 4};": 1,
            "int (*a)(int, int) = nullptr;": 1,
            "[[no_unique_address]] A a;": 1,
            "A a;  // f()": 1,
            "static constexpr int kA = f(1);": 0,
            "static int a;": 0,
            "using A = std::function<void(int)>;": 0,
            "friend class B;": 0,
            "enum class E { a, b };": 0,
            "class Forward;": 0,
            "int f(int a, int b);": 0,
            "A f() const { return {1, 2}; }": 0,
            "[[nodiscard]] bool f() const noexcept { return a_ == 2; }": 0,
            "template <class T> A f(T&& t);": 0,
            "bool operator==(const A&) const = default;": 0,
            "explicit A(int b) : b_{b}, c_(1) { f(); }": 0,
            "friend auto operator<=>(const A&, const A&) = default;": 0,
        }.items():
            with self.subTest(member=member):
                self.assertEqual({"S": (count, 0)}, self.types("struct S {\n  " + member + "\n};\n"))

    def test_access(self):
        text = "class A {\n int a;\n void f();\n public:\n  int b;\n void g();\n private:\n  int c;\n  template <class T> void h(T);\n};\n"
        self.assertEqual({"A": (1, 2)}, self.types(text))

    def test_types_in_types_and_unnamed_namespaces(self):
        text = "namespace n {\nnamespace {\nclass A::B final : public C {\n public:\n  struct D {\n    int a, b;\n  };\n  D d;\n};\n}\n}\n"
        self.assertEqual({"A::B": (1, 0), "D": (2, 0)}, self.types(text))

    def test_functions(self):
        text = (
            "namespace n {\n"
            "constexpr std::array kA{1, 2};\n"
            'const char* f() {\n  return "}";  // }\n}\n'
            "A::A(int b)\n    : b_(b),\n      c_{b} {\n  if (b) {\n  }\n}\n"
            "struct S {\n  int g() const {\n    return [] { return 1; }();\n  }\n};\n"
            "}\n"
        )
        self.assertEqual({"f": 3, "A::A": 6, "g": 3}, self.functions(text))


if __name__ == "__main__":
    unittest.main()
