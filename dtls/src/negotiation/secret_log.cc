#include "negotiation/secret_log.h"

#include <algorithm>
#include <array>

namespace sluice::dtls::handshake {
namespace {

constexpr std::string_view kLongestLabel = "CLIENT_HANDSHAKE_TRAFFIC_SECRET";
constexpr std::size_t kMaxLine = kLongestLabel.size() + 1 + 2 * sizeof(schedule::Random) + 1 +
                                 2 * schedule::HashSecret::capacity();

// In lower case, as other implementations write it.
char* put_hex(Bytes bytes, char* out) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  for (const std::byte byte : bytes) {
    *out++ = kDigits[std::to_integer<std::size_t>(byte >> 4)];
    *out++ = kDigits[std::to_integer<std::size_t>(byte & std::byte{15})];
  }
  return out;
}

}  // namespace

void SecretLog::add_master(const schedule::MasterSecret& master) const {
  add_line("CLIENT_RANDOM", master.bytes());
}

void SecretLog::add(const schedule::HandshakeSecrets& secrets) const {
  add_line("CLIENT_HANDSHAKE_TRAFFIC_SECRET", secrets.traffic().client.bytes());
  add_line("SERVER_HANDSHAKE_TRAFFIC_SECRET", secrets.traffic().server.bytes());
}

void SecretLog::add(const schedule::ApplicationSecrets& secrets) const {
  add_line("CLIENT_TRAFFIC_SECRET_0", secrets.traffic().client.bytes());
  add_line("SERVER_TRAFFIC_SECRET_0", secrets.traffic().server.bytes());
  add_line("EXPORTER_SECRET", secrets.exporter().bytes());
}

void SecretLog::add_line(std::string_view label, Bytes secret) const {
  if (log_ == nullptr) return;
  std::array<char, kMaxLine> line{};
  char* end = std::ranges::copy(label, line.data()).out;
  *end++ = ' ';
  end = put_hex(client_random_, end);
  *end++ = ' ';
  end = put_hex(secret, end);
  log_->add_line({line.data(), end});
  cleanse(std::as_writable_bytes(std::span(line)));
}

}  // namespace sluice::dtls::handshake
