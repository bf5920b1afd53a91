"""A room of sluice-sfu with other implementations: one publishes a picture and a tone, the same or another one watches.

    /usr/bin/python3 -B interop/peers/sfu_clients --publisher aiortc --viewer pion [--codec VP8|H264] [--loss PERCENT]

The publisher makes a key frame only when it is asked for one, and the viewer comes late: it sees a picture only if PLI
passes through the server. With --loss, both ways repair lost packets by NACK. SLUICE_SFU_BINARY names the server, and
PION_CLIENT the one on pion. Exit code 77: one of them isn't there; the reason is printed.

With --decline the viewer offers G.711 alone, and answers the counter-offer that comes.

Each client is a program: CLIENT publish|watch URL [--codec NAME] [--decline]. It writes its events as JSON, a line
each: connected, "asked for key frame", seen (of viewers that decode), countered, deleted. A line "key frame" on its input makes a viewer
ask for one. It deletes its session at the end of its input. Those without encoder and decoder pass on RTP from or to
--audio-port and --video-port, where GStreamer has them (rtp_media.py).
"""

import argparse
import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parent))
from free_ports import free_port  # noqa: E402  (found by the line above)
from http_request import STEP_LIMIT_S, request  # noqa: E402

SKIPPED = 77
PICTURES, SOUNDS = 25, 40  # that a viewer must decode
PICTURE_LIMIT_S = 1  # after that long without a picture, a viewer without decoder asks for a key frame
ADDRESSES = ("127.0.0.1", "::1")
SYSTEM_PYTHON = "/usr/bin/python3"  # has the packages of Debian
LOST_SEED = 9


class Client:
    """How a client is started, and what it can't do."""

    def __init__(self, command, has_codecs=False, repairs=("publish", "watch"), answers=False):
        self.command = command
        self.has_codecs = has_codecs  # encodes and decodes by itself
        self.repairs = repairs  # the roles in which it repairs lost packets by NACK
        self.answers = answers  # a viewer takes a counter-offer of the server, too


CLIENTS = {
    "GStreamer": Client([SYSTEM_PYTHON, "-B", str(HERE / "gstreamer_client.py")], has_codecs=True),
    "aiortc": Client([SYSTEM_PYTHON, "-B", str(HERE / "aiortc_client.py")], has_codecs=True, answers=True),
    "werift": Client(["node", str(HERE / "werift_client.mjs")]),
    # libdatachannel's viewers never ask for packets again (RtcpReceivingSession).
    "node-datachannel": Client(["node", str(HERE / "node_datachannel_client.mjs")], repairs=("publish",)),
    "pion": Client([os.environ.get("PION_CLIENT", "")], answers=True),
}


# Where their elements are.
GSTREAMER = {
    "gstreamer1.0-plugins-base": "libgstopus.so",
    "gstreamer1.0-plugins-good": "libgstvpx.so",
    "gstreamer1.0-plugins-bad": "libgstwebrtc.so",
    "gstreamer1.0-plugins-ugly": "libgstx264.so",
    "gstreamer1.0-libav": "libgstlibav.so",
    "gstreamer1.0-nice": "libgstnice.so",
}


def has_python_package(name):
    return pathlib.Path("/usr/lib/python3/dist-packages", name).exists()


def has_npm_package(name):
    return (HERE.parents[1] / "node_modules" / name).exists()


def missing(*names):
    """Why these clients can't be run together. Empty: they can."""
    if not has_python_package("gi/overrides/Gst.py"):
        return "python3-gst-1.0 isn't installed"
    for package, library in GSTREAMER.items():
        if not list(pathlib.Path("/usr/lib").glob(f"*/gstreamer-1.0/{library}")):
            return f"{package} isn't installed"
    for name in names:
        if name == "aiortc" and not has_python_package("aiortc"):
            return "python3-aiortc isn't installed"
        if name in ("werift", "node-datachannel"):
            package = "werift" if name == "werift" else "@node-datachannel"
            if not shutil.which("node") or not has_npm_package(package):
                return f"npm has not installed {name}"
        if name == "pion" and not os.access(CLIENTS["pion"].command[0], os.X_OK):
            return "the client on pion isn't built: it needs Go and the modules of pion"
    return ""


class Failed(Exception):
    pass


def must(condition, what):
    if not condition:
        raise Failed(f"expected: {what}")


class Running:
    """A client that runs. Its last words are kept."""

    def __init__(self, name, role, url, codec, ports, more=()):
        client = CLIENTS[name]
        options = list(more) if client.has_codecs else [*more, *(f"--{kind}-port={port}" for kind, port in ports.items())]
        self.name = f"{name} ({role})"
        self.events = []
        self.noise = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen([*client.command, "--codec", codec, *options, role, url],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.noise, text=True)
        self.on_key_frame = lambda: None
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            with contextlib.suppress(ValueError):
                event = json.loads(line)
                self.events.append(event)
                if event["event"] == "asked for key frame":
                    self.on_key_frame()

    def count(self, event):
        return sum(each["event"] == event for each in self.events)

    def last(self, event):
        return next((each for each in reversed(self.events) if each["event"] == event), {})

    def wait(self, wanted, what):
        until(wanted, f"{self.name}: {what}", self)

    def say(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def end(self):
        self.process.stdin.close()
        code = self.process.wait(STEP_LIMIT_S)
        self.reader.join(STEP_LIMIT_S)
        must(code == 0 and self.count("deleted") == 1, f"{self.name} ends in order ({code}): {self.tail()}")

    def kill(self):
        self.process.kill()
        self.process.wait()

    def tail(self):
        self.noise.seek(0)
        return f"{self.events[-3:]} {self.noise.read()[-1500:]}"


def until(wanted, what, client=None):
    deadline = time.monotonic() + STEP_LIMIT_S
    while not wanted():
        if time.monotonic() > deadline or (client and client.process.poll() is not None):
            raise Failed(f"expected: {what}{': ' + client.tail() if client else ''}")
        time.sleep(0.05)


class Server:
    """A sluice-sfu. Ends with the `with` block, and must end in order."""

    def __init__(self, binary, arguments):
        self.log = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen([binary, "--ice-candidates", "udp", *arguments], stdout=subprocess.PIPE,
                                        stderr=self.log, text=True)
        self.url = self.process.stdout.readline().strip()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self.process.terminate()
        code = self.process.wait(STEP_LIMIT_S)
        self.log.seek(0)
        if kind is None:
            must(self.url and code == 0, f"the server ends in order ({code}): {self.log.read()}")

    def account(self):
        return json.loads(request(urllib.parse.urljoin(self.url, "/sessions"), "GET")[2])

    def counters(self):
        return self.account()["counters"]

    def published(self):
        """Packets of each track of the publisher."""
        return {track["kind"]: track["layers"][0]["packets"] for session in self.account()["sessions"]
                if session["role"] == "publisher" for track in session["tracks"]}


class Call:
    def __init__(self, options, stack):
        self.options, self.stack = options, stack
        port = free_port()
        arguments = ["--ice-port", str(port), *(f"--ice-address={address}" for address in ADDRESSES)]
        self.losses = []
        if options.loss:
            from media_loss import MediaLoss
            for address in ADDRESSES:
                self.losses.append(stack.enter_context(MediaLoss(address, port, options.loss / 100, LOST_SEED)))
                arguments.append(f"--announce={self.losses[-1].name}")
        self.server = stack.enter_context(Server(os.environ["SLUICE_SFU_BINARY"], arguments))

    def start(self, name, role, ports, more=()):
        endpoint = "whip/room" if role == "publish" else "whep/room"
        client = Running(name, role, urllib.parse.urljoin(self.server.url, endpoint), self.options.codec, ports,
                         more)
        self.stack.callback(client.kill)
        client.wait(lambda: client.count("connected"), "it connects")
        return client

    def publish(self):
        name = self.options.publisher
        if CLIENTS[name].has_codecs:
            publisher = self.start(name, "publish", {})
        else:
            from rtp_media import RtpFeed
            ports = {kind: free_port() for kind in ("audio", "video")}
            publisher = self.start(name, "publish", ports)
            feed = self.stack.enter_context(RtpFeed(ports, self.options.codec))
            publisher.on_key_frame = feed.make_key_frame
        # The first key frame is long past when the viewer comes.
        until(lambda: min(self.server.published().values(), default=0) > 40, f"{name}'s packets come", publisher)
        return publisher

    def watch(self):
        """The viewer, and a function that says what it has decoded."""
        name = self.options.viewer
        more = ["--decline"] if self.options.decline else []
        if CLIENTS[name].has_codecs:
            viewer = self.start(name, "watch", {}, more)
            return viewer, lambda: {"video": 0, "audio": 0, "width": 0} | viewer.last("seen")
        from rtp_media import RtpDecoder
        decoder = self.stack.enter_context(RtpDecoder(self.options.codec))
        viewer = self.start(name, "watch", decoder.ports, more)
        return viewer, lambda: {**decoder.frames, "width": decoder.width}

    def run(self):
        publisher = self.publish()
        asked_before = publisher.count("asked for key frame")
        viewer, seen = self.watch()
        self.see(viewer, seen, lambda: seen()["video"] >= PICTURES and seen()["audio"] >= SOUNDS, "it sees and hears")
        must(viewer.count("countered") == self.options.decline, "a counter-offer is made where it is needed")
        must(seen()["width"] == 320, f"the picture is as wide as that of the publisher ({seen()['width']})")
        must(publisher.count("asked for key frame") > asked_before, "a viewer that comes makes the server ask by PLI")
        self.ask_for_key_frame(publisher, viewer, seen)
        if self.options.loss:
            self.check_repairs()
        facts = {"seen": seen(), "server": {name: value for name, value in self.server.counters().items()
                                            if name in ("key_frames_asked", "nacks_sent", "nacked", "repeated")}}
        viewer.end()
        publisher.end()
        self.check_end()
        return facts

    def ask_for_key_frame(self, publisher, viewer, seen):
        """The viewer asks by PLI, and goes on with what follows."""
        before, needed = publisher.count("asked for key frame"), self.server.counters()["key_frames_needed"]
        pictures = seen()["video"]
        viewer.say("key frame")
        until(lambda: self.server.counters()["key_frames_needed"] > needed, "the viewer's PLI comes", viewer)
        publisher.wait(lambda: publisher.count("asked for key frame") > before, "it gets the viewer's PLI")
        self.see(viewer, seen, lambda: seen()["video"] > pictures + 5, "it sees more")

    def see(self, viewer, seen, wanted, what):
        """Waits. A packet that is lost, or repaired too late, stops the picture until the next key frame: a viewer without
        decoder is told to ask for one, as decoders do (RFC 4585 section 6.3.1)."""
        decodes = CLIENTS[self.options.viewer].has_codecs
        pictures, since = seen()["video"], time.monotonic()

        def has_come():
            nonlocal pictures, since
            if seen()["video"] > pictures:
                pictures, since = seen()["video"], time.monotonic()
            elif not decodes and time.monotonic() - since > PICTURE_LIMIT_S:
                since = time.monotonic()
                viewer.say("key frame")
            return wanted()

        try:
            viewer.wait(has_come, what)
        except Failed as failure:
            raise Failed(f"{failure} {seen()}") from failure

    def check_repairs(self):
        if "publish" in CLIENTS[self.options.publisher].repairs:
            until(lambda: self.server.counters()["nacks_sent"] > 0, "the server asks the publisher again")
        if "watch" in CLIENTS[self.options.viewer].repairs:
            until(lambda: self.server.counters()["repeated"] > 0, f"the viewer gets packets again: {self.server.counters()}")
        must(sum(loss.lost for loss in self.losses) > 0, "packets are lost")

    def check_end(self):
        until(lambda: not self.server.account()["sessions"], "all sessions have ended")
        counters = self.server.counters()
        # Closing a connection sends a close_notify, too, which may come first.
        ended = counters["ended"]
        must(ended["deleted"] + ended["closed_by_peer"] == 2, f"both have left: {ended}")
        for name in ("malformed", "rtp_dropped"):
            must(counters[name] == 0, f"every packet is of use ({name}: {counters[name]})")


def main():
    parser = argparse.ArgumentParser("/usr/bin/python3 interop/peers/sfu_clients", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--publisher", choices=CLIENTS, required=True)
    parser.add_argument("--viewer", choices=CLIENTS, required=True)
    parser.add_argument("--codec", choices=["VP8", "H264"], default="VP8")
    parser.add_argument("--loss", type=float, default=0, metavar="PERCENT", help="of the RTP packets, each way")
    parser.add_argument("--decline", action="store_true", help="the viewer takes a counter-offer of the server")
    parser.add_argument("--probe", action="store_true", help="only say whether they are there")
    parser.add_argument("--json", metavar="FILE", help="write the figures to FILE")
    options = parser.parse_args()
    if options.decline and not CLIENTS[options.viewer].answers:
        parser.error(f"{options.viewer} takes no counter-offers here")
    why = "" if os.environ.get("SLUICE_SFU_BINARY") else "SLUICE_SFU_BINARY must name the sluice-sfu to run"
    why = why or missing(options.publisher, options.viewer)
    if why:
        print(why)
        return SKIPPED
    if options.probe:
        return 0
    try:
        with contextlib.ExitStack() as stack:
            facts = Call(options, stack).run()
    except Failed as failure:
        print(failure)
        return 1
    print(json.dumps(facts))
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(facts) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
