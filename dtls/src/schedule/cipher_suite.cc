#include "schedule/cipher_suite.h"

#include <algorithm>
#include <array>

namespace sluice::dtls::schedule {
namespace {

using crypto::AeadAlgorithm;

constexpr std::array kSuites{
    CipherSuite12Parameters{CipherSuite::ecdhe_ecdsa_with_aes_128_gcm_sha256,
                            KeyExchange12::ecdhe_ecdsa, AeadAlgorithm::aes_128_gcm,
                            HashAlgorithm::sha256, 4},
    CipherSuite12Parameters{CipherSuite::ecdhe_ecdsa_with_aes_256_gcm_sha384,
                            KeyExchange12::ecdhe_ecdsa, AeadAlgorithm::aes_256_gcm,
                            HashAlgorithm::sha384, 4},
    CipherSuite12Parameters{CipherSuite::ecdhe_rsa_with_aes_128_gcm_sha256,
                            KeyExchange12::ecdhe_rsa, AeadAlgorithm::aes_128_gcm,
                            HashAlgorithm::sha256, 4},
    CipherSuite12Parameters{CipherSuite::ecdhe_rsa_with_aes_256_gcm_sha384,
                            KeyExchange12::ecdhe_rsa, AeadAlgorithm::aes_256_gcm,
                            HashAlgorithm::sha384, 4},
    CipherSuite12Parameters{CipherSuite::ecdhe_rsa_with_chacha20_poly1305_sha256,
                            KeyExchange12::ecdhe_rsa, AeadAlgorithm::chacha20_poly1305,
                            HashAlgorithm::sha256, 12},
    CipherSuite12Parameters{CipherSuite::ecdhe_ecdsa_with_chacha20_poly1305_sha256,
                            KeyExchange12::ecdhe_ecdsa, AeadAlgorithm::chacha20_poly1305,
                            HashAlgorithm::sha256, 12},
    CipherSuite12Parameters{CipherSuite::ecdhe_ecdsa_with_aes_128_ccm, KeyExchange12::ecdhe_ecdsa,
                            AeadAlgorithm::aes_128_ccm, HashAlgorithm::sha256, 4},
    CipherSuite12Parameters{CipherSuite::ecdhe_ecdsa_with_aes_256_ccm, KeyExchange12::ecdhe_ecdsa,
                            AeadAlgorithm::aes_256_ccm, HashAlgorithm::sha256, 4},
    CipherSuite12Parameters{CipherSuite::ecdhe_ecdsa_with_aes_128_ccm_8, KeyExchange12::ecdhe_ecdsa,
                            AeadAlgorithm::aes_128_ccm_8, HashAlgorithm::sha256, 4},
    CipherSuite12Parameters{CipherSuite::ecdhe_ecdsa_with_aes_256_ccm_8, KeyExchange12::ecdhe_ecdsa,
                            AeadAlgorithm::aes_256_ccm_8, HashAlgorithm::sha256, 4},
    CipherSuite12Parameters{CipherSuite::psk_with_aes_128_gcm_sha256, KeyExchange12::psk,
                            AeadAlgorithm::aes_128_gcm, HashAlgorithm::sha256, 4},
    CipherSuite12Parameters{CipherSuite::psk_with_aes_256_gcm_sha384, KeyExchange12::psk,
                            AeadAlgorithm::aes_256_gcm, HashAlgorithm::sha384, 4},
    CipherSuite12Parameters{CipherSuite::psk_with_aes_128_ccm, KeyExchange12::psk,
                            AeadAlgorithm::aes_128_ccm, HashAlgorithm::sha256, 4},
    CipherSuite12Parameters{CipherSuite::psk_with_aes_256_ccm, KeyExchange12::psk,
                            AeadAlgorithm::aes_256_ccm, HashAlgorithm::sha256, 4},
    CipherSuite12Parameters{CipherSuite::psk_with_aes_128_ccm_8, KeyExchange12::psk,
                            AeadAlgorithm::aes_128_ccm_8, HashAlgorithm::sha256, 4},
    CipherSuite12Parameters{CipherSuite::psk_with_aes_256_ccm_8, KeyExchange12::psk,
                            AeadAlgorithm::aes_256_ccm_8, HashAlgorithm::sha256, 4},
    CipherSuite12Parameters{CipherSuite::psk_with_chacha20_poly1305_sha256, KeyExchange12::psk,
                            AeadAlgorithm::chacha20_poly1305, HashAlgorithm::sha256, 12},
    CipherSuite12Parameters{CipherSuite::ecdhe_psk_with_chacha20_poly1305_sha256,
                            KeyExchange12::ecdhe_psk, AeadAlgorithm::chacha20_poly1305,
                            HashAlgorithm::sha256, 12},
    CipherSuite12Parameters{CipherSuite::ecdhe_psk_with_aes_128_gcm_sha256,
                            KeyExchange12::ecdhe_psk, AeadAlgorithm::aes_128_gcm,
                            HashAlgorithm::sha256, 4},
    CipherSuite12Parameters{CipherSuite::ecdhe_psk_with_aes_256_gcm_sha384,
                            KeyExchange12::ecdhe_psk, AeadAlgorithm::aes_256_gcm,
                            HashAlgorithm::sha384, 4},
    CipherSuite12Parameters{CipherSuite::ecdhe_psk_with_aes_128_ccm_8_sha256,
                            KeyExchange12::ecdhe_psk, AeadAlgorithm::aes_128_ccm_8,
                            HashAlgorithm::sha256, 4},
    CipherSuite12Parameters{CipherSuite::ecdhe_psk_with_aes_128_ccm_sha256,
                            KeyExchange12::ecdhe_psk, AeadAlgorithm::aes_128_ccm,
                            HashAlgorithm::sha256, 4}};

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

const CipherSuite12Parameters* find12(CipherSuite suite) {
  const auto* const found = std::ranges::find(kSuites, suite, &CipherSuite12Parameters::id);
  return found == kSuites.end() ? nullptr : found;
}

const CipherSuite13Parameters* find13(CipherSuite suite) {
  const auto* const found = std::ranges::find(kSuites13, suite, &CipherSuite13Parameters::id);
  return found == kSuites13.end() ? nullptr : found;
}

}  // namespace sluice::dtls::schedule
