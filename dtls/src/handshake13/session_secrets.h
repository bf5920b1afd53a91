// The secrets of an established DTLS 1.3 session.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <utility>
#include <variant>

#include "schedule/keys13.h"

namespace sluice::dtls::handshake {

// Secrets of 32 bytes are stored in place and longer ones on the heap, so that sessions with
// SHA-256 do not pay for SHA-384.
class SessionSecrets {
 public:
  SessionSecrets(const schedule::DirectionSecrets& traffic, const schedule::HashSecret& exporter) {
    if (exporter.size() > Near::value_type::capacity()) secrets_ = std::make_unique<Far>();
    set(of_client, traffic.client);
    set(of_server, traffic.server);
    set(of_exporter, exporter);
  }

  // The present application_traffic_secret (RFC 8446 section 7.2).
  [[nodiscard]] schedule::HashSecret traffic(Role sender) const {
    return schedule::HashSecret(get(which(sender)));
  }
  void set_traffic(Role sender, const schedule::HashSecret& secret) { set(which(sender), secret); }
  [[nodiscard]] schedule::HashSecret exporter() const {
    return schedule::HashSecret(get(of_exporter));
  }

 private:
  static constexpr std::size_t kSecrets = 3;
  enum Which : std::uint8_t { of_client, of_server, of_exporter };
  using Near = std::array<Secret<32>, kSecrets>;
  using Far = std::array<schedule::HashSecret, kSecrets>;

  static Which which(Role sender) { return sender == Role::client ? of_client : of_server; }
  [[nodiscard]] Bytes get(Which secret) const {
    if (const auto* near = std::get_if<Near>(&secrets_)) return (*near)[secret].bytes();
    return std::as_const((*std::get<std::unique_ptr<Far>>(secrets_))[secret]).bytes();
  }
  void set(Which secret, const schedule::HashSecret& value) {
    if (auto* near = std::get_if<Near>(&secrets_)) {
      (*near)[secret] = Secret<32>(value.bytes());
    } else {
      (*std::get<std::unique_ptr<Far>>(secrets_))[secret] = value.clone();
    }
  }

  std::variant<Near, std::unique_ptr<Far>> secrets_;
};

}  // namespace sluice::dtls::handshake
