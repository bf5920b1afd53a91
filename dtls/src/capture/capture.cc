#include <sluice/dtls/capture.h>

#include <span>

#include <sluice/dtls/secret.h>

#include "wire/writer.h"

namespace sluice::dtls {
namespace {

// The DTLS port of OpenSSL; IANA assigns none to DTLS itself.
constexpr std::uint16_t kPort = 4433;

CaptureOptions::Path made_up_addresses(ConnectionNumber connection, PathId path) {
  // The IPv6 prefix for documentation (RFC 3849).
  Ipv6Address own{0x20, 0x01, 0x0d, 0xb8};
  Ipv6Address peer = own;
  own.back() = 1;
  const auto bytes = std::as_writable_bytes(std::span(peer));
  wire::store(bytes.subspan(4, 8), static_cast<std::uint64_t>(connection));
  wire::store(bytes.last(4), static_cast<std::uint64_t>(path));
  return {{own, kPort}, {peer, kPort}};
}

}  // namespace

Capture::Capture(CaptureOptions options) : options_(std::move(options)) {
  if (!options_.addresses) options_.addresses = made_up_addresses;
}

Buffer Capture::take() {
  write_held();
  return writer_.take();
}

void Capture::on_datagram(const ObservedDatagram& datagram) {
  write_held();
  held_ = Held{datagram.connection,
               datagram.direction,
               datagram.path,
               datagram.time,
               Buffer(datagram.bytes.begin(), datagram.bytes.end()),
               {}};
}

void Capture::on_discard(const ObservedDiscard& discard) {
  if (!held_ || held_->connection != discard.connection) return;
  held_->comment.append(held_->comment.empty() ? "discarded: " : ", ");
  held_->comment.append(to_string(discard.reason));
}

void Capture::add_line(std::string_view line) {
  std::string text(line);
  text.push_back('\n');
  writer_.add_key_log(text);
  cleanse(std::as_writable_bytes(std::span(text)));
}

void Capture::write_held() {
  if (!held_) return;
  const auto path = options_.addresses(held_->connection, held_->path);
  const bool is_sent = held_->direction == Direction::sent;
  writer_.add_packet({.source = is_sent ? path.own : path.peer,
                      .destination = is_sent ? path.peer : path.own,
                      .direction = held_->direction,
                      .time = options_.epoch + held_->time.time_since_epoch(),
                      .payload = held_->bytes,
                      .comment = held_->comment});
  held_.reset();
}

}  // namespace sluice::dtls
