// Every cipher suite, and what a handshake with it needs.
#pragma once

#include <string>
#include <vector>

#include "schedule/cipher_suite.h"
#include "support/bytes.h"
#include "support/endpoints.h"

namespace sluice::test {

inline dtls::PreSharedKey some_key() {
  return must(
      dtls::PreSharedKey::make(bytes_of("device-000000001"), dtls::Buffer(16, std::byte{1})));
}

// Of both versions.
inline std::vector<dtls::CipherSuite> all_suites() {
  std::vector<dtls::CipherSuite> all;
  for (unsigned id = 0; id < dtls::CipherSuite12::kFirstPrivateUse; ++id) {
    const auto suite = static_cast<dtls::CipherSuite>(id);
    if (dtls::schedule::find12(suite) || dtls::schedule::find13(suite)) all.push_back(suite);
  }
  return all;
}

inline std::string name_of_suite(dtls::CipherSuite suite) {
  std::string name(to_string(suite));
  for (char& letter : name) {
    if (std::isalnum(static_cast<unsigned char>(letter)) == 0) letter = '_';
  }
  return name;
}

// For this suite alone.
inline dtls::ConfigOptions options_for_suite(dtls::CipherSuite suite) {
  const auto* suite12 = dtls::schedule::find12(suite);
  auto chosen = options_for(suite12 != nullptr ? dtls::ProtocolVersion::dtls12
                                               : dtls::ProtocolVersion::dtls13);
  chosen.cipher_suites = {suite};
  chosen.max_forgeries_per_key = 1000;  // AES-CCM with tags of 8 bytes needs a limit
  if (suite12 == nullptr) return chosen;
  if (suite12->key_exchange == dtls::KeyExchange12::ecdhe_rsa) {
    chosen.identities = {rsa_identity()};
  }
  if (uses_psk(suite12->key_exchange)) chosen.pre_shared_keys = {some_key()};
  return chosen;
}

}  // namespace sluice::test
