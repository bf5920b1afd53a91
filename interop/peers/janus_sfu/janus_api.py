"""Janus' JSON API over HTTP: one session with any number of handles of the VideoRoom plugin."""

import http.client
import json
import queue
import secrets
import threading
import time
import urllib.parse

ANSWER_LIMIT_S = 15
POLL_LIMIT_S = 60  # Janus answers a long poll after 30 s at the latest
EVENTS_AT_ONCE = 20


class JanusError(Exception):
    """What Janus says is wrong, in its words."""


class Janus:
    """For many threads. What Janus answers later, by an event, is waited for."""

    def __init__(self, url):
        self.url = urllib.parse.urlsplit(url)
        self.own = threading.local()
        self.waiting = {}  # by transaction: the queue of who waits for its event
        self.session = self.ask(self.url.path, {"janus": "create"})["data"]["id"]
        threading.Thread(target=self.take_events, daemon=True).start()

    def connection(self):
        """Of this thread."""
        if not hasattr(self.own, "connection"):
            self.own.connection = http.client.HTTPConnection(self.url.hostname, self.url.port, timeout=POLL_LIMIT_S)
        return self.own.connection

    def exchange(self, method, path, body=None):
        try:
            self.connection().request(method, path, body, {"Content-Type": "application/json"})
            return json.loads(self.connection().getresponse().read())
        except (OSError, http.client.HTTPException) as error:
            self.connection().close()  # the next request opens it again
            raise JanusError(f"no answer ({error})") from error

    def ask(self, path, request):
        request = {"transaction": secrets.token_hex(8), **request}
        answer = self.exchange("POST", path, json.dumps(request))
        if answer["janus"] == "error":
            raise JanusError(answer["error"]["reason"])
        return answer

    def session_path(self, handle=""):
        return f"{self.url.path}/{self.session}/{handle}".rstrip("/")

    def take_events(self):
        while True:
            try:
                events = self.exchange("GET", f"{self.session_path()}?maxev={EVENTS_AT_ONCE}")
            except JanusError:
                time.sleep(1)
                continue
            for event in events if isinstance(events, list) else [events]:
                if waiting := self.waiting.get(event.get("transaction")):
                    waiting.put(event)

    def attach(self):
        return self.ask(self.session_path(), {"janus": "attach", "plugin": "janus.plugin.videoroom"})["data"]["id"]

    def detach(self, handle):
        self.ask(self.session_path(handle), {"janus": "detach"})

    def message(self, handle, body, description=None):
        """What the plugin says, and its SDP if it has one. `description` is (type, SDP)."""
        transaction, waiting = secrets.token_hex(8), queue.Queue()
        request = {"janus": "message", "transaction": transaction, "body": body}
        if description:
            # All candidates are in the SDP.
            request["jsep"] = {"type": description[0], "sdp": description[1], "trickle": False}
        self.waiting[transaction] = waiting
        try:
            answer = self.ask(self.session_path(handle), request)
            if answer["janus"] == "ack":
                answer = waiting.get(timeout=ANSWER_LIMIT_S)
        except queue.Empty:
            raise JanusError(f"no answer to {body['request']}") from None
        finally:
            del self.waiting[transaction]
        data = answer["plugindata"]["data"]
        if "error" in data:
            raise JanusError(data["error"])
        return data, answer.get("jsep", {}).get("sdp")
