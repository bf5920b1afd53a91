// The four protection profiles of DTLS-SRTP, as libsrtp's policies.
#pragma once

#include <srtp2/srtp.h>

#include <cstddef>

#include <sluice/dtls/protocol.h>

namespace sluice::srtp {

struct Profile {
  using SetPolicy = void (*)(srtp_crypto_policy_t*);

  SetPolicy rtp_policy;
  SetPolicy rtcp_policy;
  std::size_t master_key;  // bytes of key and salt together
  std::size_t rtp_tag;
  std::size_t rtcp_tag;
  // Where SRTCP's E bit and index stand: behind the tag with AEAD (RFC 7714 section 9.2), before it
  // otherwise (RFC 3711 section 3.4).
  bool index_after_tag;
};

// Null for a code point that isn't one of the four.
const Profile* profile_of(dtls::SrtpProfile profile);

}  // namespace sluice::srtp
