// The peer of the examples of IceLiteServer, in place of a browser: one check that nominates, then
// DTLS as client. Not how to write an ICE agent: it has one path and repeats nothing.
#pragma once

#include <sys/socket.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <functional>
#include <iostream>
#include <string>

#include <sluice/dtls/identity.h>
#include <sluice/dtls/socket_address.h>
#include <sluice/stun/integrity.h>
#include <sluice/stun/writer.h>
#include <sluice/transport/media_transport.h>

namespace example {

namespace dtls = sluice::dtls;
namespace srtp = sluice::srtp;
namespace stun = sluice::stun;
namespace transport = sluice::transport;

inline void send_to(int socket, dtls::Bytes datagram, const dtls::UdpEndpoint& peer) {
  const dtls::SocketAddress to = dtls::to_socket_address(peer);
  // A full socket buffer loses the datagram, as the network may.
  sendto(socket, datagram.data(), datagram.size(), MSG_DONTWAIT, to.get(), to.size);
}

// -1 if there is none.
inline int loopback_socket() {
  const int made = socket(AF_INET, SOCK_DGRAM, 0);
  const auto any = dtls::to_socket_address({dtls::Ipv4Address{127, 0, 0, 1}, 0});
  return bind(made, any.get(), any.size) == 0 ? made : -1;
}

class LoopbackPeer {
 public:
  // `clock` is that of the server.
  LoopbackPeer(int socket, std::function<dtls::Instant()> clock)
      : socket_(socket), now_(std::move(clock)) {}

  [[nodiscard]] dtls::Fingerprint fingerprint() {
    return dtls::Fingerprint::of(identity_.certificate(), dtls::HashAlgorithm::sha256, environment_)
        .value();
  }

  // With the lines of the server's answer.
  bool begin(const std::string& answer, const dtls::UdpEndpoint& server) {
    const auto value = [&](const std::string& name) {
      const auto at = answer.find(name) + name.size();
      return answer.substr(at, answer.find("\r\n", at) - at);
    };
    server_ = server;
    const auto key = stun::IntegrityKey::make(environment_, value("a=ice-pwd:"));
    const auto theirs = dtls::Fingerprint::parse(value("a=fingerprint:"));
    if (!key || !theirs) return false;
    const bool is_ready = transport_.start(dtls::Role::client, now_()) &&
                          transport_.set_peer_fingerprints({{*theirs}}, now_());
    std::array<std::byte, 200> check{};
    stun::Writer writer(check, stun::MessageClass::request, stun::Method::binding, {});
    writer.username(value("a=ice-ufrag:") + ":peer");
    writer.priority(1);
    writer.ice_controlling(1);
    writer.use_candidate();
    const auto size = writer.finish(environment_, *key);
    if (!size) return false;
    send_to(socket_, std::span(check).first(*size), server_);
    return is_ready;
  }

  // Takes a datagram, if there is one, or a timeout. True when RTP has come.
  bool turn() {
    const auto size = recv(socket_, buffer_.data(), buffer_.size(), MSG_DONTWAIT);
    if (size > 0) {
      const auto datagram = std::span(buffer_).first(static_cast<std::size_t>(size));
      const bool is_response = transport::classify(datagram) == transport::PacketClass::stun;
      const auto done = is_response ? transport_.path_selected(dtls::PathId{}, std::nullopt, now_())
                                    : transport_.handle_datagram(datagram, dtls::PathId{}, now_());
      if (!done) std::cerr << to_string(done.error()) << '\n';
    } else if (transport_.next_timeout() && *transport_.next_timeout() <= now_()) {
      if (const auto done = transport_.handle_timeout(now_()); !done) return false;
    }
    std::array<std::byte, dtls::kMaxDatagram> out{};
    while (const auto next = transport_.poll_transmit(out)) {
      send_to(socket_, std::span(out).first(next->size), server_);
    }
    while (transport_.poll_event()) continue;
    const auto media = transport_.poll_media();
    return media && media->kind == transport::MediaKind::rtp;
  }

  [[nodiscard]] bool connected() const { return transport_.connected(); }
  // Up to 1,200 bytes.
  void send_rtp(dtls::Bytes packet) {
    std::array<std::byte, 1200 + srtp::kMaxTrailer> room{};
    std::copy(packet.begin(), packet.end(), room.begin());
    const auto size = transport_.protect_rtp(room, packet.size());
    if (size) send_to(socket_, std::span(room).first(*size), server_);
  }
  [[nodiscard]] int socket() const { return socket_; }

 private:
  int socket_;
  std::function<dtls::Instant()> now_;
  dtls::UdpEndpoint server_;
  std::array<std::byte, dtls::kMaxDatagram> buffer_{};
  dtls::Environment environment_ = dtls::Environment::make().value();
  dtls::Identity identity_ = dtls::Identity::self_signed(environment_).value();
  transport::MediaTransport transport_ =
      transport::MediaTransport::make(
          {.dtls = dtls::Config::make({.identities = {identity_}}).value()}, environment_)
          .value();
};

}  // namespace example
