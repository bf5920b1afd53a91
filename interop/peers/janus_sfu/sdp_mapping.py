"""How a viewer that offers (WHEP) meets a server that offers, too (Janus' VideoRoom).

Both offers describe the same sections in the same order. So each side gets an answer that is made of the other side's
offer: the transport (ICE, DTLS, candidates) of the other side, and of the codecs what both have. The server is the
passive side of DTLS. No header extension is agreed on, so that the MIDs, which differ, are never sent.
"""

import re

TRANSPORT = ("ice-ufrag", "ice-pwd", "fingerprint", "candidate")
CODEC = ("rtpmap", "fmtp", "rtcp-fb")
SOURCE = ("msid", "ssrc", "ssrc-group")


class MappingError(Exception):
    """Why the two offers can't meet."""


class Section:
    """One m= line with its attributes, as (name, value)."""

    def __init__(self, line, session_attributes):
        self.kind, self.port, self.protocol, *self.formats = line.removeprefix("m=").split()
        self.session = session_attributes
        self.attributes = []

    def all(self, *names):
        """RFC 8839: what stands above all sections is that of a section which has none of its own."""
        own = [each for each in self.attributes if each[0] in names]
        missing = set(names) - {name for name, _ in own}
        return own + [each for each in self.session if each[0] in missing]

    def first(self, name):
        return next((value for _, value in self.all(name)), None)

    def codecs(self):
        """Names in lower case with their clock, by payload type."""
        maps = (value.split(maxsplit=1) for _, value in self.all("rtpmap"))
        return {payload_type: name.lower() for payload_type, name in maps}


def parse(sdp):
    """The sections."""
    session, sections = [], []
    for line in sdp.splitlines():
        if line.startswith("m="):
            sections.append(Section(line, session))
        elif line.startswith("a="):
            name, _, value = line[2:].partition(":")
            (sections[-1].attributes if sections else session).append((name, value))
    return sections


def agreed_types(offered, server):
    """The server's payload types of the codecs that both have. RFC 3264 section 6.1: they must be the same ones."""
    names = offered.codecs()
    common = [each for each, name in server.codecs().items() if name in names.values()]
    if not common:
        raise MappingError(f"the viewer has none of the published codecs for {offered.kind}")
    for each in common:
        if names.get(each) != server.codecs()[each]:
            raise MappingError(f"the viewer has another payload type for {server.codecs()[each]} than {each}")
    return common


def codec_lines(types, offered, server):
    """Feedback only where both have it."""
    allowed = {value for _, value in offered.all("rtcp-fb")}
    for name, value in server.all(*CODEC):
        if value.split()[0] in types and (name != "rtcp-fb" or value in allowed):
            yield f"a={name}:{value}"


def write(sections, session_lines):
    lines = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0", *session_lines]
    for section in sections:
        lines += section
    return "\r\n".join(lines) + "\r\n"


def answer(to, of, offered, server, direction, setup):
    """`to` and `of` are the sections that are answered and those of who answers."""
    sections, mids = [], []
    for asked, own, viewers, servers in zip(to, of, offered, server):
        types = agreed_types(viewers, servers)
        mids.append(asked.first("mid"))
        lines = [f"m={asked.kind} 9 {asked.protocol} {' '.join(types)}", "c=IN IP4 0.0.0.0", f"a=mid:{mids[-1]}",
                 f"a={direction}", "a=rtcp-mux", f"a=setup:{setup}", *codec_lines(types, viewers, servers)]
        # All sections share the first one's transport.
        names = TRANSPORT if len(mids) == 1 else TRANSPORT[:-1]
        lines += [f"a={name}:{value}" for name, value in own.all(*names)]
        if direction == "sendonly":
            lines += [f"a={name}:{value}" for name, value in own.all(*SOURCE)]
        sections.append(lines)
    is_lite = any(name == "ice-lite" for name, _ in of[0].session + of[0].attributes)
    return write(sections, [f"a=group:BUNDLE {' '.join(mids)}", *(["a=ice-lite"] if is_lite else [])])


def map_offers(viewer_offer, server_offer):
    """Answers for the viewer and for the server."""
    viewer, server = parse(viewer_offer), parse(server_offer)
    if [each.kind for each in viewer] != [each.kind for each in server]:
        raise MappingError("the offers have other sections")
    return (answer(viewer, server, viewer, server, "sendonly", "passive"),
            answer(server, viewer, viewer, server, "recvonly", "active"))


def sections_of(offer):
    """Kind and MID of each section of an offer with media."""
    sections = parse(offer)
    if not sections or any(not re.fullmatch("audio|video", each.kind) for each in sections):
        raise MappingError("the offer has no sections of audio and video alone")
    return [(each.kind, each.first("mid")) for each in sections]
