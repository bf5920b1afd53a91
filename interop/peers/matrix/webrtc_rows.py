"""Rows with WebRTC libraries and browsers: whole calls to sluice-demo, made by the scripts that the tests run."""

import json
import os
import pathlib
import shutil

from programs import Program, must
from rows import Row

INTEROP = pathlib.Path(__file__).parents[2]
SECONDS = 120
# The server's a=setup, and the DTLS role that it means.
ROLES = (("active", "client"), ("passive", "server"))


def call(row, *command):
    """Runs a script that makes a call and writes its results as JSON."""
    def run(kit):
        file = kit.folder / "call.json"
        file.unlink(missing_ok=True)
        with Program([*command, "--json", str(file)], SECONDS) as program:
            code = program.finish()
            must(code == 0, f"the call succeeds: {program.tail()}")
        facts = json.loads(file.read_text())[0]
        must(row.version.endswith(facts["tls_version"].removeprefix("DTLS ")), f"{row.version}: {facts['tls_version']}")
        row.suite = facts["dtls_cipher"]
        row.what = f"media and data, {facts['srtp_profile']}"
    return run


def missing(*programs):
    """Why a call can't be made. Empty: it can."""
    if not os.environ.get("SLUICE_DEMO_BINARY"):
        return "sluice-demo isn't built"
    for program in programs:
        if not shutil.which(program):
            return f"{program} isn't installed"
    return ""


def missing_package(name):
    """As missing(), for a package that npm installs."""
    return "" if (INTEROP / "node_modules" / name).exists() else f"npm has not installed {name}"


def add(made, row, why, *command):
    if why:
        row.outcome, row.reason = "skipped", why
    else:
        row.run = call(row, *command)
    made.append(row)


def rows(_):
    made = []
    for setup, role in ROLES:
        row = Row("aiortc", "DTLS 1.2", role, "", "fingerprints", None)
        why = missing("/usr/bin/python3")
        if not why and not list(pathlib.Path("/usr/lib/python3/dist-packages").glob("aiortc")):
            why = "python3-aiortc isn't installed"
        add(made, row, why, "/usr/bin/python3", "-B", str(INTEROP / "peers" / "aiortc_peer.py"), "--setup", setup)
    for peer, script, package in (
        ("werift", "werift_webrtc_peer.mjs", "werift"),
        # Of node-datachannel, the build for this system.
        ("node-datachannel", "node_datachannel_peer.mjs", "@node-datachannel"),
    ):
        for setup, role in ROLES:
            row = Row(peer, "DTLS 1.2", role, "", "fingerprints", None)
            why = missing("node") or missing_package(package)
            add(made, row, why, "node", str(INTEROP / "peers" / script), "--setup", setup)
    for browser, program in (("chromium", "chromium"), ("firefox", "firefox-esr")):
        for version in ("1.2", "1.3"):
            for setup, role in ROLES:
                row = Row(browser, f"DTLS {version}", role, "", "fingerprints", None)
                why = missing("node", program) or missing_package("puppeteer-core")
                add(made, row, why, "node", str(INTEROP / "drive" / "demo.mjs"), "--browser", browser, "--setup", setup,
                    "--seconds", "1", "--dtls-max", version)
    return made
