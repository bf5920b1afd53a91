// RTP and RTCP packets and SRTP keys for tests.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <sluice/dtls/srtp_keys.h>

namespace sluice::test {

using Packet = std::vector<std::byte>;

struct RtpFields {
  std::uint32_t ssrc = 0x11223344;
  std::uint16_t sequence = 1000;
  std::size_t payload = 160;        // bytes
  std::uint8_t csrcs = 0;           // 0 to 15
  std::size_t extension_words = 0;  // 0: no extension
};

// Opus-like: payload type 111; the payload's bytes depend on SSRC and sequence number.
Packet make_rtp(const RtpFields& fields = {});

// A receiver report with `reports` blocks (RFC 3550 section 6.4.2).
Packet make_rtcp(std::uint32_t ssrc = 0x11223344, std::size_t reports = 1);

// The keys of both ends of one association; `salt` makes other ones.
struct KeyPair {
  dtls::SrtpKeys client;
  dtls::SrtpKeys server;
};
KeyPair make_srtp_keys(dtls::SrtpProfile profile, std::uint8_t salt = 0);

inline constexpr dtls::SrtpProfile kAllSrtpProfiles[] = {
    dtls::SrtpProfile::aead_aes_256_gcm, dtls::SrtpProfile::aead_aes_128_gcm,
    dtls::SrtpProfile::aes128_cm_hmac_sha1_80, dtls::SrtpProfile::aes128_cm_hmac_sha1_32};

}  // namespace sluice::test
