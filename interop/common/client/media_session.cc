#include "common/client/media_session.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>
#include <variant>

namespace sluice::interop {

tl::expected<MediaSession, std::string> MediaSession::make(const SessionSetup& setup,
                                                           dtls::Environment& environment,
                                                           dtls::Instant now) {
  const auto& remote = setup.answer.transport;
  if (setup.candidates.empty()) {
    return tl::unexpected<std::string>("the answer has no UDP candidate that can be used");
  }
  auto ice = IceAgent::make({.local = setup.ice,
                             .remote = remote.ice,
                             .candidates = setup.candidates,
                             .consent_interval = setup.consent_interval,
                             .consent_limit = setup.consent_limit},
                            environment, now);
  if (!ice) return tl::unexpected(dtls::to_string(ice.error()));
  auto transport = transport::MediaTransport::make({.dtls = setup.dtls}, environment);
  if (!transport) return tl::unexpected(dtls::to_string(transport.error()));
  MediaSession made(*std::move(ice), *std::move(transport));
  const auto role = remote.setup == Setup::active ? dtls::Role::server : dtls::Role::client;
  made.settle(made.transport_.start(role, now), now);
  made.settle(made.transport_.set_peer_fingerprints(remote.fingerprints, now), now);
  if (!made.end_.empty()) return tl::unexpected(made.end_);
  return made;
}

void MediaSession::handle_datagram(dtls::MutableBytes datagram, const dtls::UdpEndpoint& from,
                                   dtls::Instant now) {
  if (transport::classify(datagram) == transport::PacketClass::stun) {
    ice_.handle_datagram(datagram, from, now);
    take_ice_events(now);
  } else if (const auto path = ice_.path_of(from)) {
    settle(transport_.handle_datagram(datagram, *path, now), now);
  }
}

void MediaSession::handle_timeout(dtls::Instant now) {
  ice_.handle_timeout(now);
  take_ice_events(now);
  settle(transport_.handle_timeout(now), now);
}

void MediaSession::close(dtls::Instant now) { settle(transport_.close(now), now); }

std::optional<dtls::Instant> MediaSession::next_timeout() const {
  if (!end_.empty()) return std::nullopt;
  const auto ice = ice_.next_timeout();
  const auto transport = transport_.next_timeout();
  if (!ice || !transport) return ice ? ice : transport;
  return std::min(*ice, *transport);
}

void MediaSession::take_ice_events(dtls::Instant now) {
  while (const auto event = ice_.poll_event()) {
    switch (event->what) {
      case IceEvent::What::validated:
        settle(transport_.path_validated(event->path, now), now);
        break;
      case IceEvent::What::selected:
        settle(transport_.path_selected(event->path, event->round_trip, now), now);
        break;
      case IceEvent::What::failed:
        end_ = connected_at_ ? "the server does not answer any more" : "no candidate answers";
        break;
    }
  }
}

void MediaSession::settle(const dtls::Result<transport::TransportPending>& outcome,
                          dtls::Instant now) {
  if (!outcome && end_.empty()) end_ = "DTLS: " + dtls::to_string(outcome.error());
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): written before it is read.
  std::array<std::byte, dtls::kMaxDatagram> buffer;
  while (const auto sent = transport_.poll_transmit(buffer)) {
    const auto datagram = dtls::Bytes(buffer).first(sent->size);
    out_.push_back({ice_.peer(sent->path), {datagram.begin(), datagram.end()}});
  }
  // A data channel was not offered.
  while (transport_.poll_data()) continue;
  while (const auto event = transport_.poll_event()) {
    if (std::holds_alternative<transport::TransportConnected>(*event)) connected_at_ = now;
    if (std::holds_alternative<transport::TransportClosed>(*event)) end_ = kClosed;
  }
}

std::vector<Outgoing> MediaSession::take() {
  auto all = std::exchange(out_, {});
  auto checks = ice_.take();
  std::move(checks.begin(), checks.end(), std::back_inserter(all));
  return all;
}

template <class Protect>
bool MediaSession::send(dtls::Bytes packet, Protect protect) {
  const auto path = transport_.path();
  if (!path || !end_.empty()) return false;
  dtls::Buffer bytes(packet.size() + srtp::kMaxTrailer);
  std::ranges::copy(packet, bytes.begin());
  const auto size = protect(bytes, packet.size());
  if (!size) return false;
  bytes.resize(*size);
  out_.push_back({ice_.peer(*path), std::move(bytes)});
  return true;
}

bool MediaSession::send_rtp(dtls::Bytes packet) {
  return send(packet,
              [this](auto& bytes, auto size) { return transport_.protect_rtp(bytes, size); });
}

bool MediaSession::send_rtcp(dtls::Bytes compound) {
  return send(compound,
              [this](auto& bytes, auto size) { return transport_.protect_rtcp(bytes, size); });
}

}  // namespace sluice::interop
