#!/usr/bin/env python3
"""sdp_mapping: what each of two sides that both offer gets as its answer."""

import unittest

from sdp_mapping import MappingError, map_offers, parse, sections_of

VIEWER = """v=0
o=- 1 1 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE video sound
m=video 9 UDP/TLS/RTP/SAVPF 96 97
c=IN IP4 0.0.0.0
a=mid:video
a=recvonly
a=rtcp-mux
a=setup:actpass
a=ice-ufrag:view
a=ice-pwd:viewerspassword
a=fingerprint:sha-256 AA:AA
a=candidate:1 1 udp 1 192.0.2.7 5000 typ host
a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid
a=rtpmap:96 VP8/90000
a=rtcp-fb:96 nack pli
a=rtpmap:97 VP9/90000
m=audio 9 UDP/TLS/RTP/SAVPF 111
a=mid:sound
a=recvonly
a=ice-ufrag:view
a=ice-pwd:viewerspassword
a=fingerprint:sha-256 AA:AA
a=rtpmap:111 opus/48000/2
"""

SERVER = """v=0
o=- 2 2 IN IP4 192.0.2.1
s=-
t=0 0
a=group:BUNDLE 0 1
a=ice-lite
a=fingerprint:sha-256 BB:BB
m=video 9 UDP/TLS/RTP/SAVPF 96
a=sendonly
a=mid:0
a=rtcp-mux
a=ice-ufrag:srv
a=ice-pwd:serverspassword
a=setup:actpass
a=rtpmap:96 vp8/90000
a=rtcp-fb:96 nack
a=rtcp-fb:96 nack pli
a=extmap:3 urn:ietf:params:rtp-hdrext:sdes:mid
a=msid:janus video
a=ssrc:77 cname:janus
a=candidate:1 1 udp 9 192.0.2.1 6000 typ host
m=audio 9 UDP/TLS/RTP/SAVPF 111
a=sendonly
a=mid:1
a=ice-ufrag:srv
a=ice-pwd:serverspassword
a=rtpmap:111 opus/48000/2
a=ssrc:78 cname:janus
"""


class Answers(unittest.TestCase):
    def setUp(self):
        self.for_viewer, self.for_server = map(parse, map_offers(VIEWER, SERVER))

    def test_each_side_gets_its_own_mids(self):
        self.assertEqual([each.first("mid") for each in self.for_viewer], ["video", "sound"])
        self.assertEqual([each.first("mid") for each in self.for_server], ["0", "1"])
        self.assertEqual(self.for_viewer[0].first("group"), "BUNDLE video sound")
        self.assertEqual(self.for_server[0].first("group"), "BUNDLE 0 1")

    def test_each_side_gets_the_transport_of_the_other_one(self):
        for sections, ufrag, fingerprint, address in ((self.for_viewer, "srv", "BB:BB", "192.0.2.1 6000"),
                                                      (self.for_server, "view", "AA:AA", "192.0.2.7 5000")):
            self.assertEqual([each.first("ice-ufrag") for each in sections], [ufrag, ufrag])
            self.assertEqual({each.first("fingerprint") for each in sections}, {"sha-256 " + fingerprint})
            self.assertIn(address, sections[0].first("candidate"))
            self.assertIsNone(sections[1].first("candidate"))

    def test_the_viewer_is_the_client_of_dtls_and_the_server_sends(self):
        self.assertEqual({each.first("setup") for each in self.for_viewer}, {"passive"})
        self.assertEqual({each.first("setup") for each in self.for_server}, {"active"})
        self.assertTrue(all(each.first("sendonly") == "" for each in self.for_viewer))
        self.assertTrue(all(each.first("recvonly") == "" for each in self.for_server))

    def test_only_what_both_have_is_agreed_on(self):
        for sections in (self.for_viewer, self.for_server):
            self.assertEqual([each.formats for each in sections], [["96"], ["111"]])
            self.assertEqual(sections[0].all("rtcp-fb"), [("rtcp-fb", "96 nack pli")])
            self.assertEqual(sections[0].all("extmap"), [])

    def test_the_viewer_alone_learns_of_sources_and_that_the_server_is_lite(self):
        self.assertEqual([each.first("ssrc") for each in self.for_viewer], ["77 cname:janus", "78 cname:janus"])
        self.assertEqual(self.for_viewer[0].first("ice-lite"), "")
        self.assertIsNone(self.for_server[0].first("ssrc"))
        self.assertIsNone(self.for_server[0].first("ice-lite"))


class Refusals(unittest.TestCase):
    def refuse(self, viewer, server, why):
        with self.assertRaisesRegex(MappingError, why):
            map_offers(viewer, server)

    def test_another_payload_type(self):
        self.refuse(VIEWER.replace("96", "100"), SERVER, "another payload type for vp8/90000 than 96")

    def test_no_codec_of_the_other_side(self):
        self.refuse(VIEWER, SERVER.replace("vp8", "H264"), "none of the published codecs for video")

    def test_other_sections(self):
        self.refuse(VIEWER[:VIEWER.index("m=audio")], SERVER, "other sections")

    def test_sections_without_media(self):
        self.assertEqual(sections_of(VIEWER), [("video", "video"), ("audio", "sound")])
        for offer in ("", VIEWER + "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\na=mid:2\n"):
            with self.assertRaises(MappingError):
                sections_of(offer)


if __name__ == "__main__":
    unittest.main()
