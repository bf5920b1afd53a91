// The secrets of an established DTLS 1.3 session.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <utility>
#include <variant>

#include "schedule/keys13.h"

namespace sluice::dtls::handshake {

// Those of SHA-256 are stored in place and longer ones on the heap, so that sessions with SHA-256
// do not pay for SHA-384.
class SessionSecrets {
 public:
  SessionSecrets(const schedule::DirectionSecrets& traffic, const schedule::HashSecret& exporter)
      : secrets_(Near()) {
    if (exporter.size() > Near::kSize) secrets_ = std::make_unique<Far>();
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
  // No Secret<32>, because that keeps its size as well.
  struct Near {
    static constexpr std::size_t kSize = 32;

    Near() = default;
    Near(Near&& other) noexcept : bytes(other.bytes) { detail::cleanse(other.bytes); }
    Near& operator=(Near&& other) noexcept {
      if (this == &other) return *this;
      bytes = other.bytes;
      detail::cleanse(other.bytes);
      return *this;
    }
    Near(const Near&) = delete;
    Near& operator=(const Near&) = delete;
    ~Near() { detail::cleanse(bytes); }

    std::array<std::byte, kSecrets * kSize> bytes{};
  };
  using Far = std::array<schedule::HashSecret, kSecrets>;

  static Which which(Role sender) { return sender == Role::client ? of_client : of_server; }
  [[nodiscard]] Bytes get(Which secret) const {
    if (const auto* near = std::get_if<Near>(&secrets_)) {
      return Bytes(near->bytes).subspan(secret * Near::kSize, Near::kSize);
    }
    return std::as_const((*std::get<std::unique_ptr<Far>>(secrets_))[secret]).bytes();
  }
  void set(Which secret, const schedule::HashSecret& value) {
    if (auto* near = std::get_if<Near>(&secrets_)) {
      std::ranges::copy(value.bytes().first(Near::kSize),
                        near->bytes.begin() + secret * Near::kSize);
    } else {
      (*std::get<std::unique_ptr<Far>>(secrets_))[secret] = value.clone();
    }
  }

  // no_unique_address: what follows a SessionSecrets begins in the padding.
  [[no_unique_address]] std::variant<Near, std::unique_ptr<Far>> secrets_;
};

}  // namespace sluice::dtls::handshake
