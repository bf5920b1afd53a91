// What is kept of a session so that it can be resumed.
#pragma once

#include <optional>
#include <string>

#include <sluice/dtls/bytes.h>
#include <sluice/dtls/clock.h>
#include <sluice/dtls/resumption.h>

#include "schedule/cipher_suite.h"
#include "schedule/hkdf13.h"

namespace sluice::dtls::handshake {

struct StoredSession {
  ProtocolVersion version{};
  CipherSuite cipher_suite{};
  schedule::HashSecret secret;  // the PSK of the ticket
  Instant issued{};
  Duration lifetime{};
  std::uint32_t age_add = 0;  // NewSessionTicket.ticket_age_add
  // The peer proved itself by a PSK; else by its certificate, or not at all.
  bool is_peer_authenticated_by_psk = false;
  Buffer peer_certificate;  // DER, without its issuers
  std::string server_name;  // that the client asked for; empty: none
  Buffer ticket;            // a client's only

  [[nodiscard]] Instant expires() const { return issued + lifetime; }

  [[nodiscard]] Buffer encode() const;
  // Empty for what encode() didn't write.
  static std::optional<StoredSession> decode(Bytes bytes);
};

}  // namespace sluice::dtls::handshake
