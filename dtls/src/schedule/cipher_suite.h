// The parameters of each cipher suite.
#pragma once

#include <cstdint>
#include <variant>

#include <sluice/dtls/cipher_suite12.h>
#include <sluice/dtls/protocol.h>

#include "crypto/aead.h"

namespace sluice::dtls::schedule {

struct AeadSuite12 {
  crypto::AeadAlgorithm aead;
  std::uint8_t fixed_iv_size;  // 4: the nonce's rest travels in the record (RFC 5288 section 3);
                               // 12: it is the record number (RFC 7905 section 2)
};
// AES_128_CBC_SHA256, with encrypt-then-MAC only (RFC 7366).
struct CbcSuite12 {};

struct CipherSuite12Parameters {
  CipherSuite id;
  KeyExchange12 key_exchange;
  HashAlgorithm hash;  // for the PRF and the Finished messages
  // A CipherSuite pointer means a suite that the application implements; the Config owns it.
  [[no_unique_address]] std::variant<AeadSuite12, CbcSuite12, const CipherSuite12*> protection;
};

constexpr bool needs_encrypt_then_mac(const CipherSuite12Parameters& suite) {
  return std::holds_alternative<CbcSuite12>(suite.protection);
}

// The sizes of one direction's part of the key block (RFC 5246 section 6.3).
KeySizes12 key_sizes(const CipherSuite12Parameters& suite);

// Null for unknown suites and for suites of DTLS 1.3.
const CipherSuite12Parameters* find12(CipherSuite suite);

// A suite of DTLS 1.3.
struct CipherSuite13Parameters {
  CipherSuite id;
  crypto::AeadAlgorithm aead;
  HashAlgorithm hash;
};

// Null for unknown suites and for suites of DTLS 1.2.
const CipherSuite13Parameters* find13(CipherSuite suite);

}  // namespace sluice::dtls::schedule
