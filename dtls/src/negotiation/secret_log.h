// Writes the secrets of a handshake to the caller's KeyLog (SSLKEYLOGFILE format).
#pragma once

#include <string_view>

#include <sluice/dtls/key_log.h>

#include "schedule/keys12.h"
#include "schedule/keys13.h"

namespace sluice::dtls::handshake {

class SecretLog {
 public:
  // Null: nothing is logged.
  explicit SecretLog(KeyLog* log) : log_(log) {}

  // The random of the ClientHello, which identifies a line. Must be set before any secret is added.
  void set_client_random(const schedule::Random& random) { client_random_ = random; }

  void add_master(const schedule::MasterSecret& master) const;
  void add(const schedule::HandshakeSecrets& secrets) const;
  void add(const schedule::ApplicationSecrets& secrets) const;

 private:
  void add_line(std::string_view label, Bytes secret) const;

  KeyLog* log_;
  schedule::Random client_random_{};
};

}  // namespace sluice::dtls::handshake
