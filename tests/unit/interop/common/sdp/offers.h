// Offers for the tests: recorded from browsers, and small ones to change.
#pragma once

#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

namespace sluice::interop {

inline std::string browser_offer(const std::string& browser) {
  std::ifstream file(std::string{SLUICE_TEST_DATA} + "/unit/interop/common/sdp/data/offer_" +
                     browser + ".sdp");
  return {std::istreambuf_iterator<char>(file), {}};
}

// A valid offer with one section of each kind, bundled.
inline std::string small_offer() {
  return "v=0\r\n"
         "o=- 1 2 IN IP4 127.0.0.1\r\n"
         "s=-\r\n"
         "t=0 0\r\n"
         "a=group:BUNDLE a v d\r\n"
         "a=ice-ufrag:abcd\r\n"
         "a=ice-pwd:0123456789012345678901\r\n"
         "a=fingerprint:sha-256 "
         "A9:65:97:19:7E:BF:37:16:3B:BF:F7:7B:6F:16:F4:06:39:AA:3D:94:6D:A9:E7:CD:AA:16:3D:52:9A:"
         "4C:"
         "E6:F9\r\n"
         "a=setup:actpass\r\n"
         "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n"
         "a=mid:a\r\n"
         "a=rtcp-mux\r\n"
         "a=rtpmap:111 opus/48000/2\r\n"
         "m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\n"
         "a=mid:v\r\n"
         "a=rtcp-mux\r\n"
         "a=rtpmap:96 VP8/90000\r\n"
         "a=rtcp-fb:* nack\r\n"
         "a=rtpmap:97 rtx/90000\r\n"
         "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n"
         "a=mid:d\r\n"
         "a=sctp-port:5000\r\n";
}

// `text` with the first `from` replaced. Fails the test if there is none.
inline std::string with(std::string text, std::string_view from, std::string_view to) {
  const auto at = text.find(from);
  if (at == std::string::npos) return "the test's own mistake: nothing to replace";
  return text.replace(at, from.size(), to);
}

// The audio and the video section of that offer, each way.
inline std::string media_offer() {
  const auto all = with(small_offer(), "BUNDLE a v d", "BUNDLE a v");
  return all.substr(0, all.find("m=application"));
}

inline std::string without_line(std::string_view start) {
  const std::string text = small_offer();
  const auto at = text.find(start);
  if (at == std::string::npos) return "the test's own mistake: nothing to remove";
  return text.substr(0, at) + text.substr(text.find("\r\n", at) + 2);
}

}  // namespace sluice::interop
