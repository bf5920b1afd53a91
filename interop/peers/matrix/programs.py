"""Starts programs, reads their output for a limited time, and ends them by their process id."""

import pathlib
import subprocess
import sys
import threading
import time

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1]))
from free_ports import free_port  # noqa: E402, F401  (the rows have it from here)


class Failed(Exception):
    """A row failed; the text says why."""


class Program:
    """One program. Its output is kept. The program ends with the `with` block."""

    def __init__(self, command, seconds):
        self.deadline = time.monotonic() + seconds
        self.said = b""
        self.news = threading.Condition()
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.reader.join()
        self.process.stdin.close()
        self.process.stdout.close()

    def _read(self):
        while piece := self.process.stdout.read1(65536):
            with self.news:
                self.said += piece
                self.news.notify_all()
        with self.news:
            self.said_all = True
            self.news.notify_all()

    said_all = False

    @property
    def text(self):
        return self.said.decode(errors="replace")

    def wait_for(self, wanted):
        """Waits for `wanted` in the output and returns its line, as far as it has been read."""
        wanted = wanted if isinstance(wanted, bytes) else wanted.encode()
        with self.news:
            while wanted not in self.said:
                left = self.deadline - time.monotonic()
                if left <= 0 or self.said_all:
                    raise Failed(f"{self.process.args[0]} did not print {wanted!r}: {self.tail()}")
                self.news.wait(left)
        start = self.said.index(wanted)
        start = self.said.rfind(b"\n", 0, start) + 1
        return self.said[start:].split(b"\n")[0].decode(errors="replace")

    def say(self, text):
        try:
            self.process.stdin.write(text if isinstance(text, bytes) else text.encode())
            self.process.stdin.flush()
        except BrokenPipeError:
            raise Failed(f"{self.process.args[0]} ended too early: {self.tail()}") from None

    def end_input(self):
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass

    def finish(self):
        """Waits until the program ends by itself and returns its exit code."""
        try:
            code = self.process.wait(max(0.1, self.deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            raise Failed(f"{self.process.args[0]} did not end: {self.tail()}") from None
        self.reader.join()
        return code

    def tail(self):
        """The end of the output, on one line."""
        return " | ".join(line.strip() for line in self.text.splitlines() if line.strip())[-300:]


def run(command, seconds, text=b""):
    """Runs a program with `text` as input until it ends by itself. Returns its exit code and its output."""
    with Program(command, seconds) as program:
        if text:
            program.say(text)
        program.end_input()
        return program.finish(), program.text


def must(condition, what):
    if not condition:
        raise Failed(f"expected: {what}")
