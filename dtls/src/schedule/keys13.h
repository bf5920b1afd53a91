// The key schedule of TLS 1.3 (RFC 8446 section 7) for DTLS (RFC 9147 section 5.9).
#pragma once

#include <optional>
#include <string_view>

#include "schedule/cipher_suite.h"
#include "schedule/hkdf13.h"

namespace sluice::dtls::schedule {

// The keys that protect one direction of one epoch.
struct TrafficKeys13 {
  Secret<crypto::kMaxAeadKeySize> key;
  Secret<crypto::kAeadNonceSize> iv;
  Secret<crypto::kMaxAeadKeySize> sn_key;  // for record number encryption (RFC 9147 section 4.2.3)
};
Result<TrafficKeys13> traffic_keys13(crypto::Library& library, crypto::AeadAlgorithm aead,
                                     HashAlgorithm hash, const HashSecret& traffic_secret);

// The secret of the next epoch after a KeyUpdate (RFC 8446 section 7.2).
Result<HashSecret> next_traffic_secret(crypto::Library& library, HashAlgorithm hash,
                                       const HashSecret& traffic_secret);

// Finished.verify_data (RFC 8446 section 4.4.4).
Result<HashSecret> verify_data13(crypto::Library& library, HashAlgorithm hash,
                                 const HashSecret& traffic_secret, Bytes transcript_hash);

struct DirectionSecrets {
  HashSecret client;
  HashSecret server;
};

// The secrets of the middle stage of the schedule, which the key exchange determines.
class HandshakeSecrets {
 public:
  // An empty `psk` means that the handshake uses none.
  static Result<HandshakeSecrets> derive(crypto::Library& library, HashAlgorithm hash, Bytes psk,
                                         Bytes shared_secret, Bytes hello_hash);

  // client_handshake_traffic_secret and server_handshake_traffic_secret.
  [[nodiscard]] const DirectionSecrets& traffic() const { return traffic_; }
  // resumption_master_secret, from which ticket PSKs are derived. The hash includes the client's
  // Finished.
  [[nodiscard]] Result<HashSecret> resumption_secret(crypto::Library& library, HashAlgorithm hash,
                                                     Bytes client_finished_hash) const;

 private:
  friend class ApplicationSecrets;
  HandshakeSecrets(HashSecret master, DirectionSecrets traffic)
      : master_(std::move(master)), traffic_(std::move(traffic)) {}

  HashSecret master_;
  DirectionSecrets traffic_;
};

// The secrets of the last stage of the schedule, which exist after the server's Finished.
class ApplicationSecrets {
 public:
  static Result<ApplicationSecrets> derive(crypto::Library& library, HashAlgorithm hash,
                                           const HandshakeSecrets& handshake,
                                           Bytes server_finished_hash);

  // client_application_traffic_secret_0 and server_application_traffic_secret_0.
  [[nodiscard]] const DirectionSecrets& traffic() const { return traffic_; }
  [[nodiscard]] const HashSecret& exporter() const { return exporter_; }

 private:
  ApplicationSecrets(DirectionSecrets traffic, HashSecret exporter)
      : traffic_(std::move(traffic)), exporter_(std::move(exporter)) {}

  DirectionSecrets traffic_;
  HashSecret exporter_;
};

// The PSK of a ticket (RFC 8446 section 4.6.1).
Result<HashSecret> ticket_psk(crypto::Library& library, HashAlgorithm hash,
                              const HashSecret& resumption_secret, Bytes ticket_nonce);

// The origin of a PSK. The label of its binder depends on it.
enum class PskKind : std::uint8_t { external, resumption };
// The binder, which proves that the client has the PSK (RFC 8446 section 4.2.11.2). `hello_hash` is
// the hash of the transcript up to the binders of this ClientHello.
Result<HashSecret> psk_binder(crypto::Library& library, HashAlgorithm hash, PskKind kind, Bytes psk,
                              Bytes hello_hash);

// The exporter (RFC 8446 section 7.5). An absent context is the same as an empty one.
Result<void> export13(crypto::Library& library, HashAlgorithm hash, const HashSecret& exporter,
                      std::string_view label, std::optional<Bytes> context, MutableBytes out);

}  // namespace sluice::dtls::schedule
