"""Rows about connection IDs (RFC 9146), with our small peers on pion, Scandium and Mbed TLS."""

from echo_peers import MbedTls, Pion, Scandium, Terms
from echo_rows import ATTEMPTS, VERSION, converse, with_every_seed
from lossy_relay import TEXT as LOSSY
from programs import must
from rows import Row
from watched_path import WatchedPath

# Sizes that our side and the peer ask for; 0: it only sends the other's; None: it has no connection IDs.
BOTH = (8, 5)
SIZES = [(8, 0), (0, 5), (0, 0), (8, None), (None, 5)]
MOVES = "while a NAT changes the client's port twice"


def agreed(ours, theirs):
    """The sizes that hold: without the extension of both sides there are none (RFC 9146 section 3)."""
    return (0, 0) if ours is None or theirs is None else (ours, theirs)


def asks(who, size):
    return f"{who} {'has none' if size is None else 'only sends' if size == 0 else f'asks for {size} bytes'}"


def follow(tool, path, client, role):
    """Lines come back after each change of the client's port."""
    for move in range(1, 3):
        path.rebind()
        converse(client, "connected" if role == "server" else VERSION, f"is it still there, {move}?\n")
        if role == "server":
            # These peers know no return routability check (RFC 9853), so our server follows the newest record.
            tool.wait_for(f"moved to 127.0.0.1:{path.client_port}")
            must(tool.text.count("moved to") == move, f"it moves once with each change of the port: {tool.tail()}")


def watch(peer, role, terms, moves=False):
    """Both sides have agreed, and their records show it."""
    here, there = agreed(terms.our_id, terms.their_id)
    server_id, client_id = (here, there) if role == "server" else (there, here)

    def check(tool, path, client):
        sizes = f"connection IDs of {here} bytes here and {there} there" if here + there else None
        must(sizes in tool.text if sizes else "connection IDs" not in tool.text, f"{sizes}: {tool.tail()}")
        if moves:
            follow(tool, path, client, role)
        for direction, size in ((path.to_server, server_id), (path.to_client, client_id)):
            seen = f"{direction.with_id} records with and {direction.without_id} without {size} bytes"
            must((direction.with_id > 0) == (size > 0) and (direction.without_id > 0) == (size == 0), seen)
            must(len(direction.ids) == (1 if size else 0), f"the same ID in all records: {direction.ids}")

    return lambda kit: ATTEMPTS[role](peer, kit, terms, lambda port: WatchedPath(port, server_id, client_id), check=check)


def rows_of(peer):
    if peer.missing():
        return []  # echo_rows says so
    made = []

    def add(role, suite, sizes, quick=False, raw=False, what=""):
        terms = Terms(suite[0], suite[1], suite[2], raw, raw, *sizes)
        run = with_every_seed(peer, role, terms) if LOSSY in what else watch(peer, role, terms, moves=what == MOVES)
        text = f"connection IDs: {asks('our side', sizes[0])}, {asks('the peer', sizes[1])}"
        made.append(Row(peer.name, VERSION, role, suite[1], suite[2], run, what=f"{text}; {what}" if what else text,
                        quick=quick))

    for role in ATTEMPTS:
        for suite in peer.suites:
            add(role, suite, BOTH, quick=suite[0] == "PSK-AES128-CCM8")
        for sizes in [*SIZES, (peer.largest_id, peer.largest_id)]:
            add(role, peer.suites[0], sizes)
        add(role, peer.suites[0], BOTH, what=f"ten seeds: {LOSSY}")
        if peer is Scandium:
            add(role, peer.suites[0], BOTH, raw=True, what="raw public key of both")
        add(role, peer.suites[0], BOTH, what=MOVES)
    return made


def rows(_):
    none = "Debian's wolfSSL, 5.5.4 and 5.7.2, is compiled without WOLFSSL_DTLS_CID and WOLFSSL_DTLS13"
    wolfssl = Row("wolfSSL", "both", "both", "", "", None, what="connection IDs", outcome="skipped", reason=none)
    return [wolfssl] + [row for peer in (Pion, Scandium, MbedTls) for row in rows_of(peer)]
