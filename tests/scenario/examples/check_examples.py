#!/usr/bin/env python3
"""The code in README.md and in the guides of docs/ is, word for word, a part of the files in docs/examples, which are
compiled and run.

A block of C++ has the name of its file in a comment above it:

    <!-- examples/own_socket.cc -->
    ```cpp
    ...
    ```
"""

import pathlib
import re
import sys

BLOCK = re.compile(r"(?:<!-- (?P<file>\S+) -->\n)?```cpp\n(?P<code>.*?)```\n", re.DOTALL)


# An Error of these depends on a peer, which must not end the program.
DEPENDS_ON_A_PEER = re.compile(
    r"[.>](handle_datagram|handle_timeout|answer|close|close_all|apply|connect|seal|seal_datagram|seal_data|start|"
    r"restart|set_peer_fingerprints|path_selected|path_validated|update_keys|srtp_keys|export_keying_material|"
    r"poll_data|poll_event|poll_transmit)\((?:[^;]*?)\)\s*\.value\(\)")


def throws(code):
    """The calls in C++ code whose `.value()` throws when a peer misbehaves."""
    return [match[1] for match in DEPENDS_ON_A_PEER.finditer(code)]


def check(page, read):
    """The faults of the text `page`; `read` returns the text of a file, or None."""
    faults = []
    blocks = list(BLOCK.finditer(page))
    if not blocks:
        faults.append("there is no code in it")
    for block in blocks:
        first = block["code"].partition("\n")[0]
        text = read(block["file"]) if block["file"] else None
        if text is None:
            faults.append(f"no file is named, or there is none, for the block '{first}'")
        elif block["code"] not in text:
            faults.append(f"{block['file']} does not hold the block '{first}'")
    return faults


def main():
    root = pathlib.Path(__file__).parents[3]
    faults = []
    quoted = set()
    guides = [root / "docs" / name for name in ("webrtc.md", "dtls.md", "live-sessions.md", "fleet.md")]
    for page in (*guides, root / "README.md"):

        def read(name, folder=page.parent):
            path = folder / name
            return path.read_text(encoding="utf-8") if path.is_file() else None

        text = page.read_text(encoding="utf-8")
        faults += [f"{page.name}: {fault}" for fault in check(text, read)]
        quoted.update(page.parent / block["file"] for block in BLOCK.finditer(text) if block["file"])
    for path in sorted((root / "docs" / "examples").glob("*.cc")):
        if path not in quoted:
            faults.append(f"{path.name} is quoted nowhere")
        for call in throws(path.read_text(encoding="utf-8")):
            faults.append(f"{path.name}: {call}().value() ends the program when a peer misbehaves")
    print("\n".join(faults))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
