#include "schedule/cipher_suite.h"

#include <algorithm>
#include <array>

namespace sluice::dtls::schedule {
namespace {

using crypto::AeadAlgorithm;

constexpr std::array kSuites{
    CipherSuite12Parameters{CipherSuite::ecdhe_ecdsa_with_aes_128_gcm_sha256,
                            KeyExchange12::ecdhe_ecdsa, HashAlgorithm::sha256,
                            AeadSuite12{AeadAlgorithm::aes_128_gcm, 4}},
    CipherSuite12Parameters{CipherSuite::ecdhe_ecdsa_with_aes_256_gcm_sha384,
                            KeyExchange12::ecdhe_ecdsa, HashAlgorithm::sha384,
                            AeadSuite12{AeadAlgorithm::aes_256_gcm, 4}},
    CipherSuite12Parameters{CipherSuite::ecdhe_rsa_with_aes_128_gcm_sha256,
                            KeyExchange12::ecdhe_rsa, HashAlgorithm::sha256,
                            AeadSuite12{AeadAlgorithm::aes_128_gcm, 4}},
    CipherSuite12Parameters{CipherSuite::ecdhe_rsa_with_aes_256_gcm_sha384,
                            KeyExchange12::ecdhe_rsa, HashAlgorithm::sha384,
                            AeadSuite12{AeadAlgorithm::aes_256_gcm, 4}},
    CipherSuite12Parameters{CipherSuite::ecdhe_rsa_with_chacha20_poly1305_sha256,
                            KeyExchange12::ecdhe_rsa, HashAlgorithm::sha256,
                            AeadSuite12{AeadAlgorithm::chacha20_poly1305, 12}},
    CipherSuite12Parameters{CipherSuite::ecdhe_ecdsa_with_chacha20_poly1305_sha256,
                            KeyExchange12::ecdhe_ecdsa, HashAlgorithm::sha256,
                            AeadSuite12{AeadAlgorithm::chacha20_poly1305, 12}},
    CipherSuite12Parameters{CipherSuite::ecdhe_ecdsa_with_aes_128_ccm, KeyExchange12::ecdhe_ecdsa,
                            HashAlgorithm::sha256, AeadSuite12{AeadAlgorithm::aes_128_ccm, 4}},
    CipherSuite12Parameters{CipherSuite::ecdhe_ecdsa_with_aes_256_ccm, KeyExchange12::ecdhe_ecdsa,
                            HashAlgorithm::sha256, AeadSuite12{AeadAlgorithm::aes_256_ccm, 4}},
    CipherSuite12Parameters{CipherSuite::ecdhe_ecdsa_with_aes_128_ccm_8, KeyExchange12::ecdhe_ecdsa,
                            HashAlgorithm::sha256, AeadSuite12{AeadAlgorithm::aes_128_ccm_8, 4}},
    CipherSuite12Parameters{CipherSuite::ecdhe_ecdsa_with_aes_256_ccm_8, KeyExchange12::ecdhe_ecdsa,
                            HashAlgorithm::sha256, AeadSuite12{AeadAlgorithm::aes_256_ccm_8, 4}},
    CipherSuite12Parameters{CipherSuite::psk_with_aes_128_gcm_sha256, KeyExchange12::psk,
                            HashAlgorithm::sha256, AeadSuite12{AeadAlgorithm::aes_128_gcm, 4}},
    CipherSuite12Parameters{CipherSuite::psk_with_aes_256_gcm_sha384, KeyExchange12::psk,
                            HashAlgorithm::sha384, AeadSuite12{AeadAlgorithm::aes_256_gcm, 4}},
    CipherSuite12Parameters{CipherSuite::psk_with_aes_128_ccm, KeyExchange12::psk,
                            HashAlgorithm::sha256, AeadSuite12{AeadAlgorithm::aes_128_ccm, 4}},
    CipherSuite12Parameters{CipherSuite::psk_with_aes_256_ccm, KeyExchange12::psk,
                            HashAlgorithm::sha256, AeadSuite12{AeadAlgorithm::aes_256_ccm, 4}},
    CipherSuite12Parameters{CipherSuite::psk_with_aes_128_ccm_8, KeyExchange12::psk,
                            HashAlgorithm::sha256, AeadSuite12{AeadAlgorithm::aes_128_ccm_8, 4}},
    CipherSuite12Parameters{CipherSuite::psk_with_aes_256_ccm_8, KeyExchange12::psk,
                            HashAlgorithm::sha256, AeadSuite12{AeadAlgorithm::aes_256_ccm_8, 4}},
    CipherSuite12Parameters{CipherSuite::psk_with_chacha20_poly1305_sha256, KeyExchange12::psk,
                            HashAlgorithm::sha256,
                            AeadSuite12{AeadAlgorithm::chacha20_poly1305, 12}},
    CipherSuite12Parameters{CipherSuite::ecdhe_psk_with_chacha20_poly1305_sha256,
                            KeyExchange12::ecdhe_psk, HashAlgorithm::sha256,
                            AeadSuite12{AeadAlgorithm::chacha20_poly1305, 12}},
    CipherSuite12Parameters{CipherSuite::ecdhe_psk_with_aes_128_gcm_sha256,
                            KeyExchange12::ecdhe_psk, HashAlgorithm::sha256,
                            AeadSuite12{AeadAlgorithm::aes_128_gcm, 4}},
    CipherSuite12Parameters{CipherSuite::ecdhe_psk_with_aes_256_gcm_sha384,
                            KeyExchange12::ecdhe_psk, HashAlgorithm::sha384,
                            AeadSuite12{AeadAlgorithm::aes_256_gcm, 4}},
    CipherSuite12Parameters{CipherSuite::ecdhe_psk_with_aes_128_ccm_8_sha256,
                            KeyExchange12::ecdhe_psk, HashAlgorithm::sha256,
                            AeadSuite12{AeadAlgorithm::aes_128_ccm_8, 4}},
    CipherSuite12Parameters{CipherSuite::ecdhe_psk_with_aes_128_ccm_sha256,
                            KeyExchange12::ecdhe_psk, HashAlgorithm::sha256,
                            AeadSuite12{AeadAlgorithm::aes_128_ccm, 4}},
    CipherSuite12Parameters{CipherSuite::psk_with_aes_128_cbc_sha256, KeyExchange12::psk,
                            HashAlgorithm::sha256, CbcSuite12{}},
    CipherSuite12Parameters{CipherSuite::ecdhe_psk_with_aes_128_cbc_sha256,
                            KeyExchange12::ecdhe_psk, HashAlgorithm::sha256, CbcSuite12{}}};

constexpr std::array kSuites13{
    CipherSuite13Parameters{CipherSuite::aes_128_gcm_sha256, AeadAlgorithm::aes_128_gcm,
                            HashAlgorithm::sha256},
    CipherSuite13Parameters{CipherSuite::aes_256_gcm_sha384, AeadAlgorithm::aes_256_gcm,
                            HashAlgorithm::sha384},
    CipherSuite13Parameters{CipherSuite::chacha20_poly1305_sha256, AeadAlgorithm::chacha20_poly1305,
                            HashAlgorithm::sha256},
    CipherSuite13Parameters{CipherSuite::aes_128_ccm_sha256, AeadAlgorithm::aes_128_ccm,
                            HashAlgorithm::sha256},
    CipherSuite13Parameters{CipherSuite::aes_128_ccm_8_sha256, AeadAlgorithm::aes_128_ccm_8,
                            HashAlgorithm::sha256}};

}  // namespace

KeySizes12 key_sizes(const CipherSuite12Parameters& suite) {
  if (const auto* own = std::get_if<const CipherSuite12*>(&suite.protection)) {
    return (*own)->key_sizes();
  }
  if (const auto* aead = std::get_if<AeadSuite12>(&suite.protection)) {
    return {0, crypto::key_size(aead->aead), aead->fixed_iv_size};
  }
  // The sizes for HMAC-SHA256 and AES-128. The key block has no IV, because each record carries one
  // (RFC 5246 section 6.2.3.2).
  return {32, 16, 0};
}

const CipherSuite12Parameters* find12(CipherSuite suite) {
  const auto* const found = std::ranges::find(kSuites, suite, &CipherSuite12Parameters::id);
  return found == kSuites.end() ? nullptr : found;
}

const CipherSuite13Parameters* find13(CipherSuite suite) {
  const auto* const found = std::ranges::find(kSuites13, suite, &CipherSuite13Parameters::id);
  return found == kSuites13.end() ? nullptr : found;
}

}  // namespace sluice::dtls::schedule
