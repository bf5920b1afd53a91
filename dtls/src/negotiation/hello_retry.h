// HelloRetryRequest, and what the ClientHello after it must repeat (RFC 8446 sections 4.1.2 and
// 4.1.4).
#pragma once

#include <optional>

#include "crypto/hash.h"
#include "message/client_hello.h"
#include "schedule/cipher_suite.h"

namespace sluice::dtls::handshake {

struct RetryRequest {
  const schedule::CipherSuite13Parameters* suite;
  std::optional<NamedGroup> group;  // of which a share is asked for
  Bytes cookie;                     // empty: none is sent
};

// The message's body; the same request gives the same bytes.
void put_retry_request(wire::Writer& out, const RetryRequest& request);

// A digest of all that the second hello may not change, whether or not a share is asked for. A
// server that keeps it needs no more of the first.
Result<crypto::Digest> digest_of_repeated13(crypto::Library& library,
                                            const message::ClientHello& hello, bool asks_for_share);
// The same between a HelloVerifyRequest's two hellos (RFC 6347 section 4.2.1).
Result<crypto::Digest> digest_of_repeated12(crypto::Library& library,
                                            const message::ClientHello& hello);

// What a whole ClientHello adds to a transcript of DTLS 1.3, as a hash (RFC 9147 section 5.2).
Result<crypto::Digest> hash_of_hello13(crypto::Library& library, HashAlgorithm hash, Bytes body);

}  // namespace sluice::dtls::handshake
