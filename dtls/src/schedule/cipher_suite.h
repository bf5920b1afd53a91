// What a cipher suite's number stands for.
#pragma once

#include <cstdint>

#include <sluice/dtls/fingerprint.h>
#include <sluice/dtls/protocol.h>

#include "crypto/aead.h"

namespace sluice::dtls::schedule {

// Of DTLS 1.2, where a suite also says how keys are agreed on and what proves who is who: the
// server's signature, or a pre-shared key (RFC 4279 section 2, RFC 5489 section 2).
enum class KeyExchange12 : std::uint8_t { ecdhe_ecdsa, ecdhe_rsa, psk, ecdhe_psk };

constexpr bool uses_psk(KeyExchange12 exchange) {
  return exchange == KeyExchange12::psk || exchange == KeyExchange12::ecdhe_psk;
}
constexpr bool uses_ecdhe(KeyExchange12 exchange) { return exchange != KeyExchange12::psk; }

struct CipherSuite12Parameters {
  CipherSuite id;
  KeyExchange12 key_exchange;
  crypto::AeadAlgorithm aead;
  HashAlgorithm hash;         // of the PRF and the Finished messages
  std::size_t fixed_iv_size;  // 4: the nonce's rest travels in the record (RFC 5288 section 3);
                              // 12: it is the record number (RFC 7905 section 2)
};

// Null for suites that this engine doesn't have, or that are of DTLS 1.3.
const CipherSuite12Parameters* find12(CipherSuite suite);

// Of DTLS 1.3.
struct CipherSuite13Parameters {
  CipherSuite id;
  crypto::AeadAlgorithm aead;
  HashAlgorithm hash;
};

// Null for suites that this engine doesn't have, or that are of DTLS 1.2.
const CipherSuite13Parameters* find13(CipherSuite suite);

}  // namespace sluice::dtls::schedule
