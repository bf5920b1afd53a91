#!/usr/bin/env python3
"""WHIP and WHEP for Janus' VideoRoom: POST /whip/ROOM and POST /whep/ROOM with an offer, DELETE of the Location. Media
goes between client and Janus directly.

Usage: whip_gateway.py --janus http://127.0.0.1:8088/janus [--address 127.0.0.1] [--port 0]; it prints its URL.
"""

import argparse
import http.server
import re
import secrets
import threading

from janus_api import Janus, JanusError
from sdp_mapping import MappingError, map_offers, sections_of

MOST_OFFER = 128 * 1024


class Refusal(Exception):
    """A status, and why."""


class Rooms:
    """The sessions that were made here. A room has the publisher that came last."""

    def __init__(self, janus):
        self.janus = janus
        self.lock = threading.Lock()
        self.feeds = {}  # by room: the ID of the publisher, and kind and MID of its sections
        self.sessions = {}  # by ID: handle, and the room of a publisher

    def open_room(self, handle, name):
        # Nothing is limited, and only what forwarding needs.
        body = {"request": "create", "room": name, "publishers": 8, "bitrate": 0, "notify_joining": False,
                "audiocodec": "opus", "videocodec": "vp8,vp9,h264,av1"}
        with self.lock:
            if not self.janus.message(handle, {"request": "exists", "room": name})[0]["exists"]:
                self.janus.message(handle, body)

    def publish(self, name, offer):
        sections = sections_of(offer)
        handle = self.janus.attach()
        try:
            self.open_room(handle, name)
            joined, answer = self.janus.message(
                handle, {"request": "joinandconfigure", "ptype": "publisher", "room": name}, ("offer", offer))
        except JanusError:
            self.janus.detach(handle)
            raise
        self.feeds[name] = (joined["id"], sections)
        return self.add(handle, name), answer

    def watch(self, name, offer):
        if name not in self.feeds:
            raise Refusal(409, "nobody publishes in the room")
        feed, published = self.feeds[name]
        streams = [{"feed": feed, "mid": self.mid_of(kind, published)} for kind, _ in sections_of(offer)]
        handle = self.janus.attach()
        try:
            _, server_offer = self.janus.message(
                handle, {"request": "join", "ptype": "subscriber", "room": name, "streams": streams})
            for_viewer, for_server = map_offers(offer, server_offer)
            self.janus.message(handle, {"request": "start"}, ("answer", for_server))
        except (JanusError, MappingError):
            self.janus.detach(handle)
            raise
        return self.add(handle), for_viewer

    @staticmethod
    def mid_of(kind, published):
        for each, mid in published:
            if each == kind:
                return mid
        raise MappingError(f"nobody publishes {kind}")

    def add(self, handle, room=None):
        session = secrets.token_hex(16)
        self.sessions[session] = (handle, room)
        return session

    def end(self, session):
        handle, room = self.sessions.pop(session, (None, None))
        if handle is None:
            raise Refusal(404, "there is no such session")
        self.feeds.pop(room, None)
        self.janus.detach(handle)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 64 * 1024  # head and body leave together
    rooms = None

    def do_POST(self):
        self.respond(self.post)

    def do_DELETE(self):
        self.respond(self.delete)

    def post(self):
        path = re.fullmatch(r"/(whip|whep)/([A-Za-z0-9_-]{1,64})", self.path)
        if not path:
            raise Refusal(404, "no endpoint of WHIP or WHEP")
        size = int(self.headers.get("Content-Length") or 0)
        if size > MOST_OFFER:
            raise Refusal(413, "the offer is too large")
        offer = self.rfile.read(size).decode()
        session, answer = (self.rooms.publish if path[1] == "whip" else self.rooms.watch)(path[2], offer)
        return 201, answer, {"Content-Type": "application/sdp", "Location": f"/session/{session}"}

    def delete(self):
        self.rooms.end(self.path.removeprefix("/session/"))
        return 200, "", {}

    def respond(self, act):
        try:
            status, body, headers = act()
        except Refusal as refusal:
            status, body, headers = *refusal.args, {}
        except MappingError as error:
            status, body, headers = 422, str(error), {}
        except JanusError as error:
            status, body, headers = 502, f"Janus: {error}", {}
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_request(self, code="-", size="-"):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--janus", required=True, help="URL of Janus' HTTP API")
    parser.add_argument("--address", default="127.0.0.1", help="IP address to serve on")
    parser.add_argument("--port", type=int, default=0, help="port to serve on; 0: any free one")
    options = parser.parse_args()
    Handler.rooms = Rooms(Janus(options.janus))
    server = Server((options.address, options.port), Handler)
    print(f"http://{options.address}:{server.server_address[1]}/", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
