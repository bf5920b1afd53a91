#!/usr/bin/env python3
"""third_party/build_libsrtp builds again when the distribution has a newer libsrtp, and only then.

apt and the compilers are stand-ins: no network, and nothing is really built. Each notes what it was called for.
"""

import os
import pathlib
import subprocess
import tempfile
import unittest

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "third_party" / "build_libsrtp"

# The newest version that the source lists have is in $FAKE_VERSIONS, one a line. `cmake --build` installs.
APT_CACHE = """for version in $FAKE_VERSIONS; do printf 'Package: libsrtp2\\nVersion: %s\\n\\n' "$version"; done"""
APT_GET = """case "$*" in
  *" update") echo update >>"$FAKE_LOG"; [[ -z ${FAKE_OFFLINE:-} ]] ;;
  *source*) echo "${@: -1}" >>"$FAKE_LOG"; mkdir -p libsrtp2-source; touch libsrtp2-source/LICENSE ;;
esac"""
CMAKE = """if [[ $1 == -S ]]; then exit; fi
install=$(dirname "$2")/install
mkdir -p "$install/lib/cmake" "$install/include"
touch "$install/lib/libsrtp2.a" """
NM = "for i in {1..60}; do echo \"srtp_symbol_$i T 0 0\"; done"
OBJCOPY = 'cp "$2" "$3"'


class LibsrtpUpdates(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        self.out = self.root / "libsrtp"
        self.log = self.root / "log"
        sources = self.root / "apt"
        sources.mkdir()
        release = subprocess.run(["bash", "-c", ". /etc/os-release && printf %s \"${VERSION_CODENAME:-}\""],
                                 capture_output=True, text=True, check=True).stdout
        (sources / "sources.list").write_text(f"deb http://deb.example/debian {release or 'stable'} main\n")
        tools = self.root / "bin"
        tools.mkdir()
        for name, text in {"apt-cache": APT_CACHE, "apt-get": APT_GET, "cmake": CMAKE, "nm": NM, "objcopy": OBJCOPY,
                           "ninja": "", "dpkg-source": ""}.items():
            (tools / name).write_text(f"#!/usr/bin/env bash\n{text}\n")
            (tools / name).chmod(0o755)
        self.environment = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}", "FAKE_LOG": str(self.log),
                            "SLUICE_APT_SOURCES": str(sources)}

    def run_script(self, *versions, **environment):
        """What the script did: the source packages that it fetched, and "update" for each look at the lists."""
        self.log.write_text("")
        subprocess.run([SCRIPT, self.out], check=True, capture_output=True,
                       env={**self.environment, "FAKE_VERSIONS": " ".join(versions), **environment})
        return self.log.read_text().split()

    def a_day_passes(self):
        stamp = self.out / "stamp"
        day_before_yesterday = stamp.stat().st_mtime - 2 * 24 * 3600
        os.utime(stamp, (day_before_yesterday, day_before_yesterday))

    def version(self):
        return (self.out / "stamp").read_text().split()[0]

    def test_a_security_update_is_built(self):
        self.assertEqual(self.run_script("2.5.0-3"), ["update", "libsrtp2=2.5.0-3"])
        self.a_day_passes()
        self.assertEqual(self.run_script("2.5.0-3", "2.5.0-3+deb12u1"), ["update", "libsrtp2=2.5.0-3+deb12u1"])
        self.assertEqual(self.version(), "2.5.0-3+deb12u1")
        self.assertTrue((self.out / "lib" / "libsluice_srtp2.a").exists())

    def test_the_newest_of_several_versions_is_taken(self):
        self.run_script("2.5.0-9", "2.5.0-10", "2.5.0-2")
        self.assertEqual(self.version(), "2.5.0-10")

    def test_the_same_version_is_not_built_again(self):
        self.run_script("2.5.0-3")
        self.assertEqual(self.run_script("2.5.0-4"), [], "within a day the lists are not read")
        self.a_day_passes()
        self.assertEqual(self.run_script("2.5.0-3"), ["update"])
        self.assertEqual(self.run_script("2.5.0-4"), [], "it has been looked for today")

    def test_without_a_network_the_result_stays(self):
        self.run_script("2.5.0-3")
        self.a_day_passes()
        self.assertEqual(self.run_script(FAKE_OFFLINE="1"), ["update"])
        self.assertEqual(self.version(), "2.5.0-3")


if __name__ == "__main__":
    unittest.main()
