// The key schedule of TLS 1.2: master secret, traffic keys, Finished, exporter.
#pragma once

#include <array>
#include <optional>
#include <string_view>

#include <sluice/dtls/secret.h>

#include "crypto/hash.h"
#include "schedule/cipher_suite.h"

namespace sluice::dtls::schedule {

using Random = std::array<std::byte, 32>;

struct HelloRandoms {
  Random client;
  Random server;
};

using MasterSecret = Secret<48>;

// Two vectors of at most 64 bytes, each preceded by its length.
using PskPremaster = Secret<2 * (2 + 64)>;
// The premaster secret (RFC 4279 section 2, RFC 5489 section 2). `ecdhe` is the shared secret of
// the key exchange, if there is one. `psk` has at most 64 bytes.
PskPremaster psk_premaster(std::optional<Bytes> ecdhe, Bytes psk);

// The master secret (RFC 5246 section 8.1).
Result<MasterSecret> master_secret(crypto::Library& library, HashAlgorithm hash, Bytes premaster,
                                   const HelloRandoms& randoms);
// The extended master secret (RFC 7627 section 4), which depends on the whole handshake up to
// ClientKeyExchange.
Result<MasterSecret> extended_master_secret(crypto::Library& library, HashAlgorithm hash,
                                            Bytes premaster, Bytes session_hash);

// One direction's part of the key block (RFC 5246 section 6.3).
struct TrafficKey12 {
  Secret<KeySizes12::kMaxMacKey> mac_key;
  Secret<KeySizes12::kMaxKey> key;
  Secret<KeySizes12::kMaxIv> iv;
};
struct TrafficKeys12 {
  TrafficKey12 client;
  TrafficKey12 server;
};
Result<TrafficKeys12> traffic_keys12(crypto::Library& library, const CipherSuite12Parameters& suite,
                                     const MasterSecret& master, const HelloRandoms& randoms);

// Finished.verify_data (RFC 5246 section 7.4.9).
using VerifyData = std::array<std::byte, 12>;
Result<VerifyData> verify_data12(crypto::Library& library, HashAlgorithm hash,
                                 const MasterSecret& master, Role sender, Bytes handshake_hash);

// The exporter (RFC 5705 section 4). Errors: invalid_argument for a label that the handshake itself
// uses, an empty label, or a context above 65535 bytes.
Result<void> export12(crypto::Library& library, HashAlgorithm hash, const MasterSecret& master,
                      const HelloRandoms& randoms, std::string_view label,
                      std::optional<Bytes> context, MutableBytes out);

}  // namespace sluice::dtls::schedule
