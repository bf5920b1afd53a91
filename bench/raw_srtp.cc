#include "raw_srtp.h"

#include <sluice/srtp/library.h>

#include <array>
#include <stdexcept>
#include <utility>

namespace sluice::bench {
namespace {

void srtp_check(srtp_err_status_t status) {
  if (status != srtp_err_status_ok) throw std::runtime_error("libsrtp");
}

void set_policies(dtls::SrtpProfile profile, srtp_policy_t& policy) {
  switch (profile) {
    case dtls::SrtpProfile::aead_aes_128_gcm:
      srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtp);
      break;
    case dtls::SrtpProfile::aead_aes_256_gcm:
      srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy.rtp);
      break;
    case dtls::SrtpProfile::aes128_cm_hmac_sha1_80:
      srtp_crypto_policy_set_rtp_default(&policy.rtp);
      break;
    case dtls::SrtpProfile::aes128_cm_hmac_sha1_32:
      srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32(&policy.rtp);
      srtp_crypto_policy_set_rtcp_default(&policy.rtcp);
      return;
  }
  policy.rtcp = policy.rtp;
}

}  // namespace

RawSrtp::RawSrtp(dtls::SrtpProfile profile, bool outbound) {
  if (!srtp::initialize()) throw std::runtime_error("libsrtp");
  std::array<unsigned char, 64> key{1, 2, 3};
  srtp_policy_t policy{};
  set_policies(profile, policy);
  policy.ssrc.type = outbound ? ssrc_any_outbound : ssrc_any_inbound;
  policy.key = key.data();
  policy.window_size = 1024;
  srtp_check(srtp_create(&context_, &policy));
}

RawSrtp::RawSrtp(RawSrtp&& other) noexcept : context_(std::exchange(other.context_, nullptr)) {}

RawSrtp::~RawSrtp() {
  if (context_ != nullptr) srtp_dealloc(context_);
}

std::size_t RawSrtp::protect(dtls::MutableBytes buffer, std::size_t size) {
  int length = static_cast<int>(size);
  srtp_check(srtp_protect(context_, buffer.data(), &length));
  return static_cast<std::size_t>(length);
}

std::size_t RawSrtp::unprotect(dtls::MutableBytes packet) {
  int length = static_cast<int>(packet.size());
  srtp_check(srtp_unprotect(context_, packet.data(), &length));
  return static_cast<std::size_t>(length);
}

}  // namespace sluice::bench
