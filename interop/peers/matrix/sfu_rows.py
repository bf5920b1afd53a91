"""Rows with the clients of the media server: one library publishes, one watches (../sfu_clients)."""

import json
import os
import pathlib
import shutil
import subprocess

from programs import Program, must
from rows import Row

CLIENTS = pathlib.Path(__file__).parents[1] / "sfu_clients"
LIBRARIES = ("GStreamer", "aiortc", "werift", "node-datachannel", "pion")
SECONDS = 120
SKIPPED = 77
LOSS = "3"  # percent of the media, each way


def call(publisher, viewer, codec, loss, more):
    command = ["/usr/bin/python3", "-B", str(CLIENTS), "--publisher", publisher, "--viewer", viewer, "--codec", codec,
               "--loss", loss, *more]

    def run(kit):
        file = kit.folder / "sfu.json"
        with Program([*command, "--json", str(file)], SECONDS) as program:
            code = program.finish()
            must(code == 0, f"a picture and a tone pass: {program.tail()}")
        json.loads(file.read_text())  # whole
    return run


def reason(publisher, viewer):
    """Why the two can't be run. Empty: they can."""
    if not os.environ.get("SLUICE_SFU_BINARY"):
        return "sluice-sfu isn't built"
    if not os.access("/usr/bin/python3", os.X_OK):
        return "there is no /usr/bin/python3"
    told = subprocess.run(["/usr/bin/python3", "-B", str(CLIENTS), "--publisher", publisher, "--viewer", viewer,
                           "--probe"], capture_output=True, text=True, check=False)
    return told.stdout.strip() if told.returncode == SKIPPED else ""


def pair(publisher, viewer, codec="VP8", loss="0", more=()):
    what = f"{codec} and Opus from {publisher} to {viewer}" + (f", {loss} % lost each way" if loss != "0" else "")
    what += ", by a counter-offer" if more else ""
    row = Row(publisher if publisher == viewer else f"{publisher}, {viewer}", "DTLS 1.2", "media server", "",
              "fingerprints", call(publisher, viewer, codec, loss, more), what=what)
    row.reason = reason(publisher, viewer)
    if row.reason:
        row.outcome = "skipped"
    return row


def absent():
    """Clients of WHIP and WHEP that Debian 12 hasn't."""
    def row(peer, why):
        return Row(peer, "", "media server", "", "", None, what="WHIP", outcome="skipped", reason=why)

    if not list(pathlib.Path("/usr/lib").glob("*/gstreamer-1.0/libgst*webrtc*http*.so")):
        yield row("whipsink, whepsrc", "they are in gst-plugins-rs, which Debian 12 hasn't; webrtcbin stands for them")
    if not shutil.which("ffmpeg"):
        yield row("ffmpeg", "it isn't installed; Debian 12's is 5.1, and its WHIP muxer came with 8.0")
    elif "whip" not in subprocess.run(["ffmpeg", "-hide_banner", "-muxers"], capture_output=True, text=True,
                                      check=False).stdout:
        yield row("ffmpeg", "this one has no WHIP muxer, which came with 8.0")


def rows(_):
    made = [pair(publisher, viewer) for publisher in LIBRARIES for viewer in LIBRARIES]
    made += [pair(each, each, loss=LOSS) for each in LIBRARIES]
    made += [pair(each, each, codec="H264") for each in LIBRARIES]
    made += [pair("GStreamer", each, more=["--decline"]) for each in ("aiortc", "pion")]
    return made + list(absent())
