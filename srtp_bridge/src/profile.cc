#include "profile.h"

namespace sluice::srtp {
namespace {

constexpr std::size_t kSha1Tag80 = 10;
constexpr std::size_t kSha1Tag32 = 4;
constexpr std::size_t kGcmTag = 16;
constexpr std::size_t kCmMasterKey = 16 + 14;      // RFC 3711 section 8.2
constexpr std::size_t kGcm128MasterKey = 16 + 12;  // RFC 7714 section 12
constexpr std::size_t kGcm256MasterKey = 32 + 12;

constexpr Profile kCmSha1Tag80{.rtp_policy = srtp_crypto_policy_set_rtp_default,
                               .rtcp_policy = srtp_crypto_policy_set_rtcp_default,
                               .master_key = kCmMasterKey,
                               .rtp_tag = kSha1Tag80,
                               .rtcp_tag = kSha1Tag80,
                               .index_after_tag = false};
// RFC 5764 section 4.1.2: the short tag is for SRTP alone, SRTCP keeps 80 bits.
constexpr Profile kCmSha1Tag32{.rtp_policy = srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32,
                               .rtcp_policy = srtp_crypto_policy_set_rtcp_default,
                               .master_key = kCmMasterKey,
                               .rtp_tag = kSha1Tag32,
                               .rtcp_tag = kSha1Tag80,
                               .index_after_tag = false};
constexpr Profile kGcm128{.rtp_policy = srtp_crypto_policy_set_aes_gcm_128_16_auth,
                          .rtcp_policy = srtp_crypto_policy_set_aes_gcm_128_16_auth,
                          .master_key = kGcm128MasterKey,
                          .rtp_tag = kGcmTag,
                          .rtcp_tag = kGcmTag,
                          .index_after_tag = true};
constexpr Profile kGcm256{.rtp_policy = srtp_crypto_policy_set_aes_gcm_256_16_auth,
                          .rtcp_policy = srtp_crypto_policy_set_aes_gcm_256_16_auth,
                          .master_key = kGcm256MasterKey,
                          .rtp_tag = kGcmTag,
                          .rtcp_tag = kGcmTag,
                          .index_after_tag = true};

}  // namespace

const Profile* profile_of(dtls::SrtpProfile profile) {
  switch (profile) {
    case dtls::SrtpProfile::aes128_cm_hmac_sha1_80:
      return &kCmSha1Tag80;
    case dtls::SrtpProfile::aes128_cm_hmac_sha1_32:
      return &kCmSha1Tag32;
    case dtls::SrtpProfile::aead_aes_128_gcm:
      return &kGcm128;
    case dtls::SrtpProfile::aead_aes_256_gcm:
      return &kGcm256;
  }
  return nullptr;
}

}  // namespace sluice::srtp
