// Tells the caller's KeyLog, when there is one, the secrets of a handshake.
#pragma once

#include <string_view>

#include <sluice/dtls/key_log.h>

#include "schedule/keys12.h"
#include "schedule/keys13.h"

namespace sluice::dtls::handshake {

class SecretLog {
 public:
  // Null: nobody asks.
  explicit SecretLog(KeyLog* log) : log_(log) {}

  // That of the ClientHello, by which a line is found: comes before any secret.
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
