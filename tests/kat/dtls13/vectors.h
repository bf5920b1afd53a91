// The JSON files beside this one.
#pragma once

#include <sluice/dtls/protocol.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "crypto/aead.h"
#include "record/protection13.h"
#include "schedule/keys13.h"
#include "support/bytes.h"
#include "support/endpoints.h"

namespace sluice::test {

inline nlohmann::json load_vectors(const std::string& name) {
  std::ifstream file(std::string(SLUICE_TEST_DATA) + "/kat/dtls13/" + name);
  return nlohmann::json::parse(file);
}

struct Suite13 {
  dtls::crypto::AeadAlgorithm aead;
  dtls::HashAlgorithm hash;
};

// TLS_AES_128_GCM_SHA256, TLS_AES_256_GCM_SHA384, TLS_CHACHA20_POLY1305_SHA256.
inline Suite13 suite13(unsigned number) {
  using dtls::HashAlgorithm;
  using dtls::crypto::AeadAlgorithm;
  switch (number) {
    case 0x1301:
      return {AeadAlgorithm::aes_128_gcm, HashAlgorithm::sha256};
    case 0x1302:
      return {AeadAlgorithm::aes_256_gcm, HashAlgorithm::sha384};
    case 0x1303:
      return {AeadAlgorithm::chacha20_poly1305, HashAlgorithm::sha256};
    default:
      throw std::invalid_argument("suite");
  }
}

inline dtls::schedule::TrafficKeys13 keys_of(const Suite13& suite, dtls::Bytes secret) {
  return must(dtls::schedule::traffic_keys13(environment().library(), suite.aead, suite.hash,
                                             dtls::schedule::HashSecret(secret)));
}

inline dtls::record::ProtectionKey13 protection(const Suite13& suite,
                                                const dtls::schedule::TrafficKeys13& keys) {
  return {suite.aead, keys.key.bytes(), keys.iv.bytes(), keys.sn_key.bytes()};
}

}  // namespace sluice::test
