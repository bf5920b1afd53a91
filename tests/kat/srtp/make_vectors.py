#!/usr/bin/env python3
"""Writes vectors.json: SRTP packets as an implementation of RFC 3711 and RFC 7714 other than libsrtp makes them.

The RFCs' own vectors stop at session keys (RFC 3711 appendix B.3) or start from them (RFC 7714 sections 16 and 17),
and a session takes master keys only. So this file implements key derivation and both transforms, is checked against
the vectors as the RFCs print them, and then makes whole packets from master keys.

Usage: make_vectors.py [capture.json]
The capture holds a DTLS 1.3 handshake with its key log and the SRTP packets after it; without it the browser cases
of the present vectors.json are kept. Needs python3-cryptography.
"""

import hashlib
import hmac
import json
import pathlib
import struct
import sys

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

OUT = pathlib.Path(__file__).with_name("vectors.json")
# Key size, salt size, RTP tag, RTCP tag.
PROFILES = {1: (16, 14, 10, 10), 2: (16, 14, 4, 10), 7: (16, 12, 16, 16), 8: (32, 12, 16, 16)}


def xor(a, b):
    return bytes(x ^ y for x, y in zip(a, b))


def aes_ctr(key, block, data):
    encryptor = Cipher(algorithms.AES(key), modes.CTR(block)).encryptor()
    return encryptor.update(data) + encryptor.finalize()


def derive(master_key, master_salt, label, size):
    """RFC 3711 section 4.3.3; RFC 7714 section 11 pads the 96-bit salt on the right."""
    x = xor(master_salt.ljust(14, b"\0"), bytes(7) + bytes([label]) + bytes(6))
    return aes_ctr(master_key, x + bytes(2), bytes(size))


class Keys:
    def __init__(self, profile, master):
        self.profile = profile
        key_size, salt_size, self.rtp_tag, self.rtcp_tag = PROFILES[profile]
        key, salt = master[:key_size], master[key_size:]
        assert len(salt) == salt_size
        self.rtp = [derive(key, salt, label, size) for label, size in ((0, key_size), (1, 20), (2, salt_size))]
        self.rtcp = [derive(key, salt, label, size) for label, size in ((3, key_size), (4, 20), (5, salt_size))]


def header_size(rtp):
    size = 12 + 4 * (rtp[0] & 15)
    if rtp[0] & 16:
        size += 4 + 4 * struct.unpack_from(">H", rtp, size + 2)[0]
    return size


def cm_iv(salt, ssrc, index):
    """RFC 3711 section 4.1.1."""
    return xor(xor(salt + bytes(2), bytes(4) + ssrc + bytes(8)), bytes(8) + index.to_bytes(6, "big") + bytes(2))


def gcm_rtp_iv(salt, ssrc, index):
    return xor(salt, bytes(2) + ssrc + index.to_bytes(6, "big"))  # RFC 7714 section 8.1


def gcm_rtcp_iv(salt, ssrc, index):
    return xor(salt, bytes(2) + ssrc + bytes(2) + index.to_bytes(4, "big"))  # section 9.1


def protect_rtp(keys, packet, roc):
    key, auth, salt = keys.rtp
    head, payload = packet[:header_size(packet)], packet[header_size(packet):]
    ssrc, index = packet[8:12], roc << 16 | struct.unpack_from(">H", packet, 2)[0]
    if keys.profile >= 7:
        return head + AESGCM(key).encrypt(gcm_rtp_iv(salt, ssrc, index), payload, head)
    sealed = head + aes_ctr(key, cm_iv(salt, ssrc, index), payload)
    return sealed + hmac.digest(auth, sealed + struct.pack(">I", roc), "sha1")[:keys.rtp_tag]


def protect_rtcp(keys, packet, index):
    key, auth, salt = keys.rtcp
    head, payload, ssrc = packet[:8], packet[8:], packet[4:8]
    word = struct.pack(">I", 1 << 31 | index)
    if keys.profile >= 7:
        return head + AESGCM(key).encrypt(gcm_rtcp_iv(salt, ssrc, index), payload, head + word) + word
    sealed = head + aes_ctr(key, cm_iv(salt, ssrc, index), payload) + word
    return sealed + hmac.digest(auth, sealed, "sha1")[:keys.rtcp_tag]


def unprotect(keys, kind, packet):
    """For packets of roll-over counter 0; fails on a wrong tag."""
    tag = keys.rtp_tag if kind == "rtp" else keys.rtcp_tag
    if kind == "rtp":
        body = packet[:-tag]
        head = body[:header_size(body)]
        index = struct.unpack_from(">H", packet, 2)[0]
        plain = head + aes_ctr(keys.rtp[0], cm_iv(keys.rtp[2], packet[8:12], index), body[len(head):])
        assert protect_rtp(keys, plain, 0) == packet
        return plain
    index = struct.unpack(">I", packet[-tag - 4:-tag])[0] & 0x7fffffff
    plain = packet[:8] + aes_ctr(keys.rtcp[0], cm_iv(keys.rtcp[2], packet[4:8], index), packet[8:-tag - 4])
    assert protect_rtcp(keys, plain, index) == packet
    return plain


B3_MASTER = bytes.fromhex("E1F97A0D3E018BE0D64FA32C06DE4139" "0EC675AD498AFEEBB6960B3AABE6")
GALLIA = bytes.fromhex("8040f17b8041f8d35501a0b2") + b"Gallia est omnis divisa in partes tres"
MARS = bytes.fromhex("81c8000d4d6172734e5450314e545032525450200000042a0000e9304c756e61" + "deadbeef" * 5)


def check_against_rfcs():
    """RFC 3711 appendix B.3, RFC 7714 sections 16.1.1, 16.2.1 and 17.1."""
    key, salt = B3_MASTER[:16], B3_MASTER[16:]
    assert derive(key, salt, 0, 16).hex().upper() == "C61E7A93744F39EE10734AFE3FF7A087"
    assert derive(key, salt, 2, 14).hex().upper() == "30CBBC08863D8C85D49DB34A9AE1"
    assert derive(key, salt, 1, 94).hex().upper() == (
        "CEBE321F6FF7716B6FD4AB49AF256A15" "6D38BAA48F0A0ACF3C34E2359E6CDBCE" "E049646C43D9327AD175578EF7227098"
        "6371C10C9A369AC2F94A8C5FBCDDDC25" "6D6E919A48B610EF17C2041E47403576" "6B68642C59BBFC2F34DB60DBDFB2")

    keys = Keys(7, bytes(28))
    salt = b"Quid pro quo"
    keys.rtp = keys.rtcp = [bytes(range(16)), None, salt]
    assert protect_rtp(keys, GALLIA, 0).hex() == (
        "8040f17b8041f8d35501a0b2f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b36de3adf"
        "8833899d7f27beb16a9152cf765ee4390cce")
    assert protect_rtcp(keys, MARS, 0x5d4).hex() == (
        "81c8000d4d61727363e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1730d6fda4ce09b4686303ded"
        "0bb9275bc84aa45896cf4d2fc5abf87245d9eade800005d4")
    keys = Keys(8, bytes(44))
    keys.rtp = [bytes(range(32)), None, salt]
    assert protect_rtp(keys, GALLIA, 0).hex() == (
        "8040f17b8041f8d35501a0b232b1de78a822fe12ef9f78fa332e33aab18012389a58e2f3b50b2a0276ffae0f1ba63799"
        "b87b7aa3db36dfffd6b0f9bb7878d7a76c13")


def with_sequence(packet, sequence):
    return packet[:2] + struct.pack(">H", sequence) + packet[4:]


def packet_entry(kind, plain, protected):
    return {"kind": kind, "plain": plain.hex(), "protected": protected.hex()}


def made_case(name, profile, master):
    """An extension and CSRCs, a roll-over, an empty payload; SRTCP with libsrtp's first indices, 1 and 2."""
    keys = Keys(profile, master)
    plain = [with_sequence(GALLIA, 65534),
             bytes.fromhex("9240ffff8041f8d35501a0b2" "c0c0c0c0c1c1c1c1" "bede0001" "10aa0000") + GALLIA[12:],
             with_sequence(GALLIA[:12], 0), with_sequence(GALLIA, 1)]
    packets = [packet_entry("rtp", p, protect_rtp(keys, p, roc)) for p, roc in zip(plain, (0, 0, 1, 1))]
    packets += [packet_entry("rtcp", p, protect_rtcp(keys, p, index))
                for p, index in ((MARS, 1), (MARS[:8], 2))]
    return {"name": name, "profile": profile, "master": master.hex(), "packets": packets}


def hkdf_expand_label(secret, label, context, size):
    """RFC 8446 section 7.1 with the label of RFC 9147 section 5.9; one block of SHA-256 after another."""
    label = b"dtls13" + label
    info = struct.pack(">HB", size, len(label)) + label + bytes([len(context)]) + context
    out, block = b"", b""
    while len(out) < size:
        block = hmac.digest(secret, block + info + bytes([len(out) // 32 + 1]), "sha256")
        out += block
    return out[:size]


def browser_cases(capture):
    """The client's keys come first, then the salts (RFC 5764 section 4.2)."""
    empty = hashlib.sha256(b"").digest()
    secret = hkdf_expand_label(bytes.fromhex(capture["key_log"]["EXPORTER_SECRET"]), b"EXTRACTOR-dtls_srtp", empty, 32)
    block = hkdf_expand_label(secret, b"exporter", empty, 60)
    client_port = capture["datagrams"][0]["from"]
    cases = []
    for name, master, is_client in (("client", block[:16] + block[32:46], True),
                                    ("server", block[16:32] + block[46:], False)):
        keys = Keys(1, master)
        packets = []
        for datagram in capture["datagrams"]:
            if datagram["kind"] != "dtls" and (datagram["from"] == client_port) == is_client:
                kind, packet = {"srtp": "rtp", "srtcp": "rtcp"}[datagram["kind"]], bytes.fromhex(datagram["hex"])
                packets.append(packet_entry(kind, unprotect(keys, kind, packet), packet))
        cases.append({"name": f"browser_{name}", "profile": 1, "master": master.hex(), "packets": packets})
    return cases


def main():
    check_against_rfcs()
    cases = [made_case("aes128_cm_hmac_sha1_80", 1, B3_MASTER), made_case("aes128_cm_hmac_sha1_32", 2, B3_MASTER),
             made_case("aead_aes_128_gcm", 7, bytes(range(16)) + b"Quid pro quo"),
             made_case("aead_aes_256_gcm", 8, bytes(range(32)) + b"Quid pro quo")]
    if len(sys.argv) > 1:
        cases += browser_cases(json.loads(pathlib.Path(sys.argv[1]).read_text()))
    else:
        cases += [c for c in json.loads(OUT.read_text())["cases"] if c["name"].startswith("browser")]
    origin = ("made by make_vectors.py: RFC 3711 B.3's master key, RFC 7714's packets; browser_*: DTLS 1.3 between "
              "Firefox ESR 153 (client) and Chromium 156, captured on loopback, keys from Firefox's key log")
    OUT.write_text(json.dumps({"origin": origin, "cases": cases}, indent=1) + "\n")


if __name__ == "__main__":
    main()
