#!/usr/bin/python3
"""Servers of one cluster, with a Redis of their own and clients of sluice-load: what is published on one of them is
watched on the others, while servers and Redis come and go.

What they do with media is tested with one thread of media and with two (ClusterTest, ThreadsTest).

The environment variables SLUICE_SFU_BINARY and SLUICE_LOAD_BINARY name the programs. With SLUICE_BENCH=1 the times until
viewers have the picture again must be at most 5 s; without it they are only told.
"""

import collections
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest
import urllib.error
import urllib.request

from free_ports import free_port
from process_state import is_running

SERVER = os.environ["SLUICE_SFU_BINARY"]
LOAD = os.environ["SLUICE_LOAD_BINARY"]
SECONDS = 40  # limits a failing test
PICTURE_LIMIT_S = 5
HOST = "127.0.0.1"
ROOM = "room"
KEY = f"sluice-sfu:room:{ROOM}"
TOKEN = "the cluster's"
CLEAN = ("--max-corrupt", "0", "--max-duplicates", "0")
WHOLE = (*CLEAN, "--max-loss", "0", "--max-breaks", "0")


def wait_for(what, is_there):
    """Its first value that is true."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        if found := is_there():
            return found
        time.sleep(0.02)
    raise AssertionError(f"not in time: {what}")


class Redis:
    def __init__(self):
        self.port = free_port()
        self.start()

    def start(self):
        self.process = subprocess.Popen(["redis-server", "--bind", HOST, "--port", str(self.port), "--save", "", "--daemonize",
                                         "no"], stdout=subprocess.DEVNULL)
        wait_for("redis-server", self.answers)

    def answers(self):
        with contextlib.suppress(OSError):
            return self.ask("PING") == b"+PONG\r\n"
        return False

    def ask(self, *words):
        """The answer as it comes, of one that fits one segment."""
        command = f"*{len(words)}\r\n" + "".join(f"${len(word)}\r\n{word}\r\n" for word in words)
        with socket.create_connection((HOST, self.port), SECONDS) as connection:
            connection.sendall(command.encode())
            return connection.recv(65536)

    def kill(self):
        self.process.kill()
        self.process.wait(SECONDS)


class Node:
    """A server, also after it was killed and started again."""

    def __init__(self, folder, name, redis, *arguments):
        self.log_file = os.path.join(folder, f"{name}.log")
        self.state = os.path.join(folder, f"{name}.state")
        # Both ports stay over a restart, as those of a server do.
        self.port, self.ice_port = free_port(), free_port()
        self.url = f"http://{HOST}:{self.port}"
        self.arguments = [
            SERVER, "--port", str(self.port), "--ice-port", str(self.ice_port), "--ice-address", HOST, "--ice-candidates",
            "udp", "--log-format", "json", "--cluster", f"redis:{HOST}:{redis.port}", "--cluster-token", TOKEN, "--state",
            self.state, "--room-hold", str(SECONDS), *arguments]
        self.start()

    def start(self):
        with open(self.log_file, "a", encoding="utf-8") as log:
            self.process = subprocess.Popen(self.arguments, stdout=subprocess.PIPE, stderr=log, text=True)
        if not self.process.stdout.readline():
            raise AssertionError(f"a server did not start: {self.log()}")
        self.pid = self.process.pid

    def log(self):
        with open(self.log_file, encoding="utf-8") as file:
            return [json.loads(line) for line in file]

    def events(self, name):
        return [line for line in self.log() if line["event"] == name]

    def kill(self):
        self.process.kill()
        self.process.wait(SECONDS)
        self.process.stdout.close()

    def replace(self):
        """A hot restart."""
        before = len(self.events("replaced"))
        os.kill(self.pid, signal.SIGUSR2)
        self.pid = int(wait_for("the next server", lambda: self.events("replaced")[before:])[-1]["process"])
        self.process.wait(SECONDS)

    def stop(self):
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGINT)
        if self.process.wait(SECONDS) != 0:
            with open(self.log_file, encoding="utf-8") as file:
                raise AssertionError(f"a server ended with {self.process.returncode}: {file.read()}")
        wait_for("the end of a server", lambda: not is_running(self.pid))
        self.process.stdout.close()

    def sessions(self):
        with urllib.request.urlopen(f"{self.url}/sessions", timeout=SECONDS) as answer:
            return json.load(answer)

    def room(self):
        return next((room for room in self.sessions()["rooms"] if room["name"] == ROOM), {"pulled": [], "publishers": 0})

    def roles(self, role):
        return [each for each in self.sessions()["sessions"] if each["role"] == role and each["state"] == "connected"]

    def packets(self):
        """Of video, to its viewers on each worker."""
        sums = collections.Counter()
        for viewer in self.roles("viewer"):
            sums[viewer.get("worker", 0)] += sum(each["packets"] for each in viewer["streams"] if each["kind"] == "video")
        return sums

    def post(self, path, body=b"v=0\r\n", **headers):
        """Status and sentence."""
        request = urllib.request.Request(f"{self.url}{path}", body, {"Content-Type": "application/sdp", **headers})
        try:
            with urllib.request.urlopen(request, timeout=SECONDS) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()


class Load:
    """A sluice-load with clients on one node."""

    def __init__(self, folder, node, *arguments):
        self.result = os.path.join(folder, f"load{time.monotonic_ns()}.json")
        self.process = subprocess.Popen(
            [LOAD, "--publish", f"{node.url}/whip/{ROOM}", "--watch", f"{node.url}/whep/{ROOM}", "--audio", "--json", self.result,
             *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def stop(self):
        """Ends it as the end of its time does."""
        self.process.send_signal(signal.SIGINT)
        return self.wait()

    def kill(self):
        self.process.kill()
        self.process.communicate()

    def wait(self):
        """Its results. It must have served all its clients as its limits ask."""
        said, _ = self.process.communicate(timeout=2 * SECONDS)
        if self.process.returncode != 0:
            raise AssertionError(f"sluice-load ended with {self.process.returncode}: {said}")
        with open(self.result, encoding="utf-8") as file:
            return json.load(file)


class ClusterCase(unittest.TestCase):
    """Nodes and clients of a test, until its end."""

    ARGUMENTS = ()  # of all nodes
    MORE = 1  # viewers in place of one

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.redis = Redis()
        self.addCleanup(lambda: self.redis.kill())

    def node(self, name, *arguments):
        node = Node(self.folder, name, self.redis, *self.ARGUMENTS, *arguments)
        self.addCleanup(node.stop)
        return node

    def load(self, node, *arguments, duration=SECONDS):
        load = Load(self.folder, node, "--duration", str(duration), *arguments)
        self.addCleanup(lambda: load.process.poll() is None and load.kill())
        return load

    def publish(self, node):
        """When the registry has it, too."""
        before = len(node.roles("publisher"))
        load = self.load(node, "--publishers", "1", "--viewers", "0")
        wait_for("the publisher", lambda: len(node.roles("publisher")) > before)
        wait_for("the entry", lambda: f" 0 {node.url}".encode() in self.redis.ask("ZRANGE", KEY, "0", "-1"))
        return load

    def watch(self, node, count, *arguments, duration=SECONDS):
        load = self.load(node, "--publishers", "0", "--viewers", str(count * self.MORE), *arguments, duration=duration)
        wait_for("the viewers", lambda: len(node.roles("viewer")) == count * self.MORE)
        return load

    def tell(self, what, seconds):
        print(f"{what}: {seconds:.2f} s")
        if os.environ.get("SLUICE_BENCH") == "1":
            self.assertLessEqual(seconds, PICTURE_LIMIT_S)

    def wait_for_more(self, node):
        """Until the viewers get more than they have now, on each worker."""
        before = node.packets()


        def has_more():
            counts = node.packets()
            return counts and all(count > before[worker] + 30 for worker, count in counts.items())

        wait_for("more packets", has_more)


class MediaTests:
    """With any number of threads."""

    # ---- one stream, several nodes

    def test_a_stream_is_pulled_once_for_all_viewers(self):
        a, b, c = (self.node(name) for name in "abc")
        self.publish(a)
        loads = [self.watch(node, 5, *WHOLE, duration=4) for node in (b, c)]
        for load in loads:
            self.assertEqual(load.wait()["viewers"]["with_media"], 5 * self.MORE)
        self.assertEqual(len(a.roles("node")), 2)
        for node in (b, c):
            self.assertEqual(node.sessions()["counters"]["pulled"], 1)
            self.assertEqual([pulled["path"] for pulled in node.room()["pulled"]], [[a.url]])
        # It ends when it has had no viewer for a while.
        wait_for("the ends of both", lambda: not a.roles("node"))
        for node in (b, c):
            self.assertEqual(node.room()["pulled"], [])
            self.assertEqual(node.events("pull_ended")[0]["reason"], "no longer wanted")

    def test_publishers_of_a_room_may_be_on_several_nodes(self):
        a, b = self.node("a"), self.node("b")
        self.publish(a)
        self.publish(b)
        for node in (a, b):
            watching = self.watch(node, 2, "--seats", "2", *CLEAN)
            wait_for("both publishers", lambda node=node: node.room()["publishers"] == 2)
            wait_for("all streams", lambda node=node: all(
                stream["packets"] > 0 for viewer in node.roles("viewer") for stream in viewer["streams"]))
            watching.stop()
        self.assertEqual(len(a.room()["pulled"]), 1)
        self.assertEqual(len(b.room()["pulled"]), 1)

    def test_nodes_are_a_tree_of_a_bounded_depth(self):
        limits = ("--cluster-fan-out", "1", "--cluster-depth", "2")
        a, b, c, d = (self.node(name, *limits) for name in "abcd")
        self.publish(a)
        self.watch(b, 1)
        third = self.watch(c, 2, *CLEAN)
        self.wait_for_more(c)
        self.assertEqual(c.room()["pulled"][0]["path"], [b.url, a.url])
        status, sentence = d.post(f"/whep/{ROOM}", offer())
        self.assertEqual((status, sentence), (503, "The node that has the stream does not answer in time.\n"))
        stream = c.room()["pulled"][0]["stream"]
        # A node does not get back what has come over it.
        for node in (a, b, c):
            status, sentence = c.post(f"/whep/{ROOM}/{stream}", offer(), **{
                "Authorization": f"Bearer {TOKEN}", "Sluice-Node": node.url})
            self.assertEqual((status, sentence), (508, "The stream comes over the node that asks for it.\n"))
        # The node between goes: the last one finds another way.
        b.kill()
        wait_for("the stream by another way", lambda: [each["path"] for each in c.room()["pulled"]] == [[a.url]])
        self.wait_for_more(c)
        third.stop()
        b.start()

    # ---- what comes and goes

    def test_a_hot_restart_of_the_origin_is_not_seen(self):
        a, b = self.node("a"), self.node("b")
        self.publish(a)
        watching = self.watch(b, 3, *WHOLE)
        self.wait_for_more(b)
        for _ in range(2):
            a.replace()
            self.wait_for_more(b)
        result = watching.stop()
        self.tell("longest gap over hot restarts of the origin", result["received"]["longest_gap_ms"] / 1000)
        self.assertEqual(b.sessions()["counters"]["pulled"], 1)
        self.assertEqual(len(a.roles("node")), 1)

    def test_viewers_go_on_over_a_hot_restart_of_their_node(self):
        a, b = self.node("a"), self.node("b")
        self.publish(a)
        watching = self.watch(b, 3, *CLEAN)
        self.wait_for_more(b)
        b.replace()
        self.wait_for_more(b)
        result = watching.stop()
        self.tell("longest gap over a hot restart of the viewers' node", result["received"]["longest_gap_ms"] / 1000)
        self.assertEqual(len(a.roles("node")), 1)

    def test_an_origin_that_was_killed_is_found_again(self):
        a, b, c = (self.node(name) for name in "abc")
        first = self.publish(a)
        watching = [self.watch(node, 2, *CLEAN) for node in (b, c)]
        for node in (b, c):
            self.wait_for_more(node)
        a.kill()
        first.kill()
        a.start()
        self.publish(a)
        back = time.monotonic()
        for node in (b, c):
            self.wait_for_more(node)
        self.tell("picture after an origin was killed and its publisher is back", time.monotonic() - back)
        for node, load in zip((b, c), watching):
            self.assertEqual(node.room()["publishers"], 1)
            # The picture goes on in the same stream.
            self.assertEqual(load.stop()["received"]["source_changes"], 2 * 2 * self.MORE)
        self.assertEqual(len(a.roles("node")), 2)

    def test_redis_comes_and_goes(self):
        a, b, c = (self.node(name) for name in "abc")
        self.publish(a)
        watching = self.watch(b, 2, *WHOLE)
        self.wait_for_more(b)
        self.redis.kill()
        wait_for("the loss of the registry", lambda: b.events("registry_lost"))
        status, sentence = c.post(f"/whep/{ROOM}", offer())
        self.assertEqual((status, sentence), (503, "The registry of the cluster does not answer.\n"))
        self.wait_for_more(b)
        self.redis.start()
        back = time.monotonic()
        wait_for("the registry", lambda: a.events("registry_found"))
        late = self.watch(c, 1, *CLEAN)
        self.wait_for_more(c)
        self.tell("picture on another node after Redis is back", time.monotonic() - back)
        self.wait_for_more(b)
        watching.stop()
        late.stop()
        self.assertEqual(b.sessions()["counters"]["pulled"], 1)
        self.assertEqual(len(a.roles("node")), 2)

    def test_a_node_that_ends_takes_its_streams_back(self):
        a, b = self.node("a"), self.node("b")
        self.publish(a)
        wait_for("the entry", lambda: a.url.encode() in self.redis.ask("ZRANGE", KEY, "0", "-1"))
        os.kill(a.pid, signal.SIGINT)
        a.process.wait(SECONDS)
        self.assertEqual(self.redis.ask("ZRANGE", KEY, "0", "-1"), b"*0\r\n")
        self.assertEqual(b.post(f"/whep/{ROOM}", offer())[0], 409)


@unittest.skipUnless(shutil.which("redis-server"), "there is no redis-server")
class ClusterTest(MediaTests, ClusterCase):
    def test_nodes_may_have_other_numbers_of_threads(self):
        a, b = self.node("a", "--threads", "3"), self.node("b")
        self.publish(a)
        self.publish(b)
        for node in (a, b):
            watching = self.watch(node, 12, "--seats", "2", *CLEAN)
            wait_for("all streams", lambda node=node: all(
                stream["packets"] > 0 for viewer in node.roles("viewer") for stream in viewer["streams"]))
            watching.stop()
            self.assertEqual(node.sessions()["counters"]["pulled"], 1)

    # ---- bad input

    def test_only_nodes_get_streams_of_nodes(self):
        a = self.node("a")
        token = {"Authorization": f"Bearer {TOKEN}"}
        path = f"/whep/{ROOM}/{'0' * 32}"
        self.assertEqual(a.post(path, offer())[0], 401)
        self.assertEqual(a.post(path, offer(), Authorization="Bearer other")[0], 401)
        for url in ("", "ftp://host", "http://host/path", "http://user@host", "http://host:0", "http://" + "a" * 300):
            self.assertEqual(a.post(path, offer(), **token, **{"Sluice-Node": url})[0], 400, url)
        node = {**token, "Sluice-Node": "http://127.0.0.1:9"}
        self.assertEqual(a.post(path, b"no SDP", **node)[0], 400)
        self.assertEqual(a.post(path, offer(), **node), (409, "There is no such stream here.\n"))

    def test_what_redis_has_is_not_believed(self):
        a = self.node("a", "--cluster-network", "127.0.0.1")
        with socket.create_server(("127.0.0.2", 0)) as outside:
            host, port = outside.getsockname()
            stream = "0123456789abcdef" * 2
            later = int(time.time() * 1000) + 4500
            for member in (f"{stream} 0 http://{host}:{port}", f"{stream} 0 http://{host}:{port}/path", "rubbish", "x" * 100000,
                           f"{stream} 99 {a.url}", f"{stream} 0 file:///etc/passwd", f"{stream} 0 {a.url}",
                           f"{stream} 0 http://user@{host}:{port}"):
                self.redis.ask("ZADD", KEY, str(later), member)
            # 409 once they have expired.
            self.assertIn(a.post(f"/whep/{ROOM}", offer())[0], (409, 503))
            self.assertIn("outside of the networks", a.events("pull_failed")[0]["reason"])
            outside.settimeout(0)
            with self.assertRaises(BlockingIOError):
                outside.accept()
        # A key of another type harms its room alone.
        self.redis.ask("SET", "sluice-sfu:room:other", "x")
        self.assertEqual(a.post("/whep/other", offer()), (503, "The registry of the cluster does not answer.\n"))
        self.publish(a)
        wait_for("the entry", lambda: f" 0 {a.url}".encode() in self.redis.ask("ZRANGE", KEY, "0", "-1"))

    def test_media_goes_to_nodes_alone(self):
        a = self.node("a", "--announce", f"127.0.0.2:{free_port()}")
        b = self.node("b", "--cluster-network", HOST)
        self.assertEqual(a.post(f"/whip/{ROOM}", offer("sendonly"))[0], 201)
        wait_for("the entry", lambda: f" 0 {a.url}".encode() in self.redis.ask("ZRANGE", KEY, "0", "-1"))
        self.assertEqual(b.post(f"/whep/{ROOM}", offer())[0], 503)
        self.assertIn("no candidate of UDP in the networks of the cluster", b.events("pull_failed")[0]["reason"])
        wait_for("no session of the node", lambda: not any(each["role"] == "node" for each in a.sessions()["sessions"]))

    def test_bad_options_are_named(self):
        for arguments, said in ((["--cluster", "redis:x"], "redis:HOST:PORT"),
                                (["--cluster", "redis:x:1"], "--cluster needs --cluster-token"),
                                (["--cluster-url", "http://x"], "--cluster-url needs --cluster"),
                                (["--cluster-depth", "2"], "--cluster-depth needs --cluster"),
                                (["--cluster", "redis:x:1", "--cluster-token", "t", "--cluster-ca", "/nowhere"], "--cluster-ca"),
                                (["--cluster", "redis:x:1", "--cluster-token", "t", "--redis-user", "u"], "--redis-password"),
                                (["--cluster", "redis:x:1", "--cluster-token", "t", "--host", "0.0.0.0"], "--cluster-url"),
                                (["--cluster", "redis:x:1", "--cluster-url", "http://x/y"], "has no path"),
                                (["--cluster", "redis:x:1", "--cluster-network", "10.0.0.1/8"], "after the prefix")):
            done = subprocess.run([SERVER, *arguments], capture_output=True, text=True, timeout=SECONDS, check=False)
            self.assertNotEqual(done.returncode, 0, arguments)
            self.assertIn(said, done.stdout + done.stderr, arguments)


@unittest.skipUnless(shutil.which("redis-server"), "there is no redis-server")
class ThreadsTest(MediaTests, ClusterCase):
    """The viewers of two or more are on both workers of their node."""

    ARGUMENTS = ("--threads", "2")
    MORE = 6

    def watch(self, node, count, *arguments, duration=SECONDS):
        load = super().watch(node, count, *arguments, duration=duration)
        if count > 1:
            self.assertEqual({viewer["worker"] for viewer in node.roles("viewer")}, {0, 1})
        return load


def offer(direction="recvonly"):
    """Of a viewer of video, or of a publisher."""
    return "\r\n".join([
        "v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0", "a=group:BUNDLE 0", "m=video 9 UDP/TLS/RTP/SAVPF 96",
        "c=IN IP4 0.0.0.0", "a=mid:0", f"a={direction}", "a=rtcp-mux", "a=rtpmap:96 VP8/90000", "a=ice-ufrag:abcd",
        "a=ice-pwd:0123456789abcdef01234567", "a=setup:actpass", "a=fingerprint:sha-256 " + ":".join(["AB"] * 32),
        ""]).encode()


if __name__ == "__main__":
    unittest.main()
