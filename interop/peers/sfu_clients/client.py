"""What the clients in Python share: their arguments, what they say, WHIP and WHEP."""

import argparse
import json
import pathlib
import queue
import sys
import threading
import urllib.parse

sys.path.append(str(pathlib.Path(__file__).parents[1]))
from http_request import STEP_LIMIT_S, request  # noqa: E402  (found by the line above)


class Countered(Exception):
    """The server has refused an offer and makes one itself (draft-ietf-wish-whep-04)."""

    def __init__(self, offer):
        super().__init__("the server makes a counter-offer")
        self.offer = offer


class Client:
    """A publisher or viewer. run() of the others ends when is_wanted() says so."""

    LIMIT_S = STEP_LIMIT_S

    def __init__(self, arguments):
        self.arguments = arguments
        self.session = None
        self.commands = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in sys.stdin:
            self.commands.put(line.strip())
        self.commands.put(None)

    def is_wanted(self, seconds):
        """Waits for a command and does what it says. False: the test wants no more."""
        try:
            command = self.commands.get(timeout=seconds) if seconds else self.commands.get_nowait()
        except queue.Empty:
            return True
        if command == "key frame":
            self.ask_for_key_frame()
        return command is not None

    @staticmethod
    def say(event, **facts):
        print(json.dumps({"event": event, **facts}), flush=True)

    def say_seen(self, frames, width):
        if self.arguments.role == "watch":
            self.say("seen", video=frames["video"], audio=frames["audio"], width=width)

    def post(self, offer):
        """The answer to an offer. Raises Countered for an offer of the server in its place."""
        status, headers, body = request(self.arguments.url, "POST", offer)
        if status not in (201, 406):
            raise RuntimeError(f"the server answers with {status}: {body}")
        self.session = urllib.parse.urljoin(self.arguments.url, headers["Location"])
        if status == 406:
            raise Countered(body)
        return body

    def answer(self, answer):
        status, _, body = request(self.session, "PATCH", answer)
        if status != 204:
            raise RuntimeError(f"the answer is refused with {status}: {body}")
        self.say("countered")

    def delete(self):
        status, _, body = request(self.session, "DELETE")
        if status != 200:
            raise RuntimeError(f"DELETE is answered with {status}: {body}")
        self.say("deleted")

    def ask_for_key_frame(self):
        raise NotImplementedError

    @staticmethod
    def main(kind):
        parser = argparse.ArgumentParser()
        parser.add_argument("role", choices=["publish", "watch"])
        parser.add_argument("url", help="of the endpoint of WHIP or WHEP")
        parser.add_argument("--codec", default="VP8")
        parser.add_argument("--decline", action="store_true",
                            help="offer a codec that no server has, so that it makes a counter-offer")
        kind(parser.parse_args()).run()
        return 0
