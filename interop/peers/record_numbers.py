"""Reads the record numbers of a DTLS connection along, so that a test sees whether one is used twice.

The environment variable OPENSSL names the program that decrypts those of DTLS 1.3.
"""

import hashlib
import hmac
import os
import struct
import subprocess

OPENSSL = os.environ["OPENSSL"]

TLS12_CID = 25  # RFC 9146 section 4
SAMPLE = 16  # bytes of ciphertext that mask a record number (RFC 9147 section 4.2.3)
HANDSHAKE, APPLICATION = 2, 3  # epochs of DTLS 1.3 (RFC 9147 section 6.1)


def numbers12(datagrams, id_size):
    """Epoch and number of each protected DTLS 1.2 record (RFC 6347 section 4.1, RFC 9146 section 4)."""
    numbers = []
    for datagram in datagrams:
        while len(datagram) >= 13:
            size_at = 11 + (id_size if datagram[0] == TLS12_CID else 0)
            epoch, number = struct.unpack("!H6s", datagram[3:11])
            size, = struct.unpack("!H", datagram[size_at:size_at + 2])
            if epoch != 0:
                numbers.append((epoch, int.from_bytes(number, "big")))
            datagram = datagram[size_at + 2 + size:]
    return numbers


def secrets13(key_log, side):
    """The traffic secrets of "CLIENT" or "SERVER" by epoch, of the one connection in this key log."""
    labels = {f"{side}_HANDSHAKE_TRAFFIC_SECRET": HANDSHAKE, f"{side}_TRAFFIC_SECRET_0": APPLICATION}
    lines = (line.split() for line in key_log.splitlines())
    return {labels[line[0]]: bytes.fromhex(line[2]) for line in lines if line[0] in labels}


def numbers13(datagrams, id_size, secrets):
    """The same for each DTLS 1.3 record with a unified header, of a suite of AES-GCM or AES-CCM."""
    records = list(_records13(datagrams, id_size))
    masks = {epoch: iter(_masks(_sn_key(secrets, epoch), [sample for e, _, sample in records if e == epoch]))
             for epoch in {epoch for epoch, _, _ in records}}
    numbers, expected = [], {}
    for epoch, masked, _ in records:
        low = int.from_bytes((a ^ b for a, b in zip(masked, next(masks[epoch]))), "big")
        number = _nearest(low, 8 * len(masked), expected.get(epoch, 0))
        expected[epoch] = max(expected.get(epoch, 0), number + 1)
        numbers.append((epoch, number))
    return numbers


def _records13(datagrams, id_size):
    """Epoch, encrypted number and sample of each record (RFC 9147 section 4)."""
    newest = HANDSHAKE
    for datagram in datagrams:
        while datagram:
            first = datagram[0]
            if first >> 5 != 1:  # DTLSPlaintext
                datagram = datagram[13 + int.from_bytes(datagram[11:13], "big"):]
                continue
            number_at = 1 + (id_size if first & 0x10 else 0)
            size_at = number_at + (2 if first & 0x08 else 1)
            start = size_at + (2 if first & 0x04 else 0)
            size = int.from_bytes(datagram[size_at:start], "big") if first & 0x04 else len(datagram) - start
            # Two bits of the epoch; a sender is at most one ahead.
            epoch = newest + 1 - (newest + 1 - first) % 4
            newest = max(newest, epoch)
            yield epoch, datagram[number_at:size_at], datagram[start:start + SAMPLE]
            datagram = datagram[start + size:]


def _sn_key(secrets, epoch):
    secret = secrets[min(epoch, APPLICATION)]
    for _ in range(APPLICATION, epoch):  # RFC 8446 section 7.2
        secret = _expand_label(secret, b"traffic upd", len(secret))
    # AES-128 goes with SHA-256, AES-256 with SHA-384.
    return _expand_label(secret, b"sn", 16 if len(secret) == 32 else 32)


def _expand_label(secret, label, size):
    """HKDF-Expand-Label without a context, for one block (RFC 8446 section 7.1, RFC 9147 section 5.9)."""
    full = b"dtls13" + label
    info = struct.pack("!HB", size, len(full)) + full + b"\0"
    return hmac.new(secret, info + b"\1", hashlib.sha256 if len(secret) == 32 else hashlib.sha384).digest()[:size]


def _masks(key, samples):
    """AES-ECB of each sample."""
    encrypted = subprocess.run([OPENSSL, "enc", f"-aes-{8 * len(key)}-ecb", "-K", key.hex(), "-nopad"],
                               input=b"".join(samples), capture_output=True, check=True).stdout
    return [encrypted[at:at + SAMPLE] for at in range(0, len(encrypted), SAMPLE)]


def _nearest(low, bits, expected):
    """The number with these low bits that is nearest to the expected one (RFC 9147 section 4.2.2)."""
    number = expected - (expected - low) % (1 << bits)
    return number if expected - number <= 1 << (bits - 1) else number + (1 << bits)
