#!/usr/bin/env python3
"""Shows that check_structure.py catches what it is there for: each case is a tree of a few files."""

import pathlib
import tempfile
import unittest

import check_structure
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
    "interop/demo.h",
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
        self.refused("interop/a.cc", "<sluice/dtls/missing.h>", "no such public header")

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
        self.allowed("interop/a.cc", "<sluice/transport/classify.h>")
        self.allowed("interop/a.cc", "<sluice/nice/nice_transport.h>")
        self.refused("interop/a.cc", '"ice_agent.h"', "wrong arrow")
        self.refused("interop/a.cc", '"connection/connection.h"', "wrong arrow")
        self.refused("interop/a.cc", '"tests/support/peer.h"', "wrong arrow")
        self.refused("dtls/src/wire/a.cc", '"support/peer.h"', "wrong arrow")
        self.allowed("tests/unit/a_test.cc", '"handshake/handshake.h"')
        self.allowed("bench/a.cc", '"support/peer.h"')

    def test_libraries_have_one_home(self):
        self.allowed("dtls/src/crypto/a.cc", "<openssl/evp.h>")
        self.allowed("srtp_bridge/src/a.cc", "<srtp2/srtp.h>")
        self.allowed("ice_glue/nice/src/a.cc", "<nice/agent.h>")
        self.allowed("ice_glue/nice/src/a.cc", "<glib.h>")
        self.allowed("interop/a.cc", "<httplib.h>")
        for unit in rules.ARROWS:
            for library, homes in {
                "<openssl/evp.h>": ("dtls/src/crypto", "tests", "bench"),
                "<openssl/ssl.h>": ("tests", "bench"),
                "<openssl/ssl3.h>": ("tests", "bench"),
                "<srtp2/srtp.h>": ("srtp_bridge/src", "tests", "bench"),
                "<glib.h>": ("ice_glue/nice/src", "interop", "tests", "bench"),
                "<nice/agent.h>": ("ice_glue/nice/src", "tests", "bench"),
                "<sys/socket.h>": ("ice_glue/nice/src", "interop", "tests", "bench"),
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

    def test_a_folder_that_the_design_does_not_have(self):
        faults = self.faults("dtls/src/extra/a.cc", "")
        self.assertIn("belongs to no unit", faults[0])

    def test_length(self):
        self.assertEqual([], self.faults("dtls/src/wire/a.cc", "\n" * rules.MAX_LINES))
        self.assertIn("501 lines", self.faults("dtls/src/wire/a.cc", "\n" * 501)[0])
        self.assertEqual([], self.faults("dtls/src/wire/a.cc", "// It is longer than 500\n// lines because it is a table.\n" + "\n" * 501))
        self.assertEqual(1, len(self.faults("dtls/src/wire/a.cc", "\n" * 501 + f"// {rules.EXCUSE}\n")))


if __name__ == "__main__":
    unittest.main()
