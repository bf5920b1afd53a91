// What a cipher suite's number stands for.
#pragma once

#include <cstdint>

#include <sluice/dtls/fingerprint.h>
#include <sluice/dtls/protocol.h>

#include "crypto/aead.h"

namespace sluice::dtls::schedule {

enum class Authentication : std::uint8_t { ecdsa, rsa };

struct CipherSuiteParameters {
  CipherSuite id;
  Authentication authentication;
  crypto::AeadAlgorithm aead;
  HashAlgorithm hash;         // of the PRF and the Finished messages
  std::size_t fixed_iv_size;  // 4: the nonce's rest travels in the record (RFC 5288 section 3);
                              // 12: it is the record number (RFC 7905 section 2)
};

// Null for suites that this engine doesn't have.
const CipherSuiteParameters* find(CipherSuite suite);

}  // namespace sluice::dtls::schedule
