// HelloRetryRequest, and what the second ClientHello must repeat (RFC 8446 sections 4.1.2 and
// 4.1.4).
#pragma once

#include <optional>

#include "crypto/hash.h"
#include "message/client_hello.h"
#include "schedule/cipher_suite.h"

namespace sluice::dtls::handshake {

struct RetryRequest {
  const schedule::CipherSuite13Parameters* suite;
  std::optional<NamedGroup> group;  // the group of the share that the client must send
  Bytes cookie;                     // empty: no cookie
};

// Writes the body of the message. Equal requests give equal bytes.
void put_retry_request(wire::Writer& out, const RetryRequest& request);

// A digest of everything that the second hello must repeat, whatever the order of extensions. A
// server keeps it in place of the first hello. `asks_for_share`: key_share may change.
Result<crypto::Digest> digest_of_repeated13(crypto::Library& library,
                                            const message::ClientHello& hello, bool asks_for_share);
// The same for HelloVerifyRequest (RFC 6347 section 4.2.1).
Result<crypto::Digest> digest_of_repeated12(crypto::Library& library,
                                            const message::ClientHello& hello);

// The hash of a whole ClientHello as the transcript of DTLS 1.3 has it (RFC 9147 section 5.2).
Result<crypto::Digest> hash_of_hello13(crypto::Library& library, HashAlgorithm hash, Bytes body);

}  // namespace sluice::dtls::handshake
