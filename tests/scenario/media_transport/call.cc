#include "call.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <utility>

namespace sluice::transport {
namespace {

const dtls::Identity& own_identity(bool server) {
  static const auto kClientIdentity =
      test::must(dtls::Identity::self_signed(test::environment(), "client"));
  static const auto kServerIdentity =
      test::must(dtls::Identity::self_signed(test::environment(), "server"));
  return server ? kServerIdentity : kClientIdentity;
}

End make_end(bool server, const CallOptions& call) {
  const auto& identity = call.identity ? *call.identity : own_identity(server);
  MediaTransportOptions options = server ? call.server : call.client;
  dtls::ConfigOptions dtls_options = server ? call.server_dtls : call.client_dtls;
  dtls_options.identities = {identity};
  options.dtls = test::make_config(std::move(dtls_options));
  return End{.transport = test::must(MediaTransport::make(options, *call.environment)),
             .fingerprint = test::must(dtls::Fingerprint::of(
                 identity.certificate(), dtls::HashAlgorithm::sha256, *call.environment))};
}

Packet seal(const Packet& plain, std::size_t room, const auto& protect) {
  Packet buffer = plain;
  buffer.resize(plain.size() + room);
  const auto size = protect(buffer);
  buffer.resize(size.value_or(0));
  return buffer;
}

}  // namespace

CallOptions call_options(dtls::ProtocolVersion version) {
  return {.client_dtls = test::options_for(version), .server_dtls = test::options_for(version)};
}

Call::Call(const CallOptions& options)
    : client(make_end(false, options)), server(make_end(true, options)) {}

void Call::set_up(PathId path) {
  settle(client, client.transport.start(dtls::Role::client, now));
  settle(server, server.transport.start(dtls::Role::server, now));
  announce(client, server.fingerprint);
  announce(server, client.fingerprint);
  select_both(path);
}

void Call::connect() {
  set_up();
  run_for(1s);
  ASSERT_EQ(client.connected.size(), 1U);
  ASSERT_EQ(server.connected.size(), 1U);
}

void Call::validate(End& end, PathId path) { settle(end, end.transport.path_validated(path, now)); }

void Call::select(End& end, PathId path, std::optional<dtls::Duration> rtt) {
  settle(end, end.transport.path_selected(path, rtt, now));
}

void Call::select_both(PathId path) {
  // The server first: it must know the path by the time a ClientHello comes over it.
  select(server, path);
  select(client, path);
}

void Call::announce(End& end, const dtls::Fingerprint& of_peer) {
  settle(end, end.transport.set_peer_fingerprints({&of_peer, 1}, now));
}

void Call::restart_both() {
  settle(client, client.transport.restart(dtls::Role::client, {&server.fingerprint, 1}, now));
  settle(server, server.transport.restart(dtls::Role::server, {&client.fingerprint, 1}, now));
}

void Call::settle(End& end, const dtls::Result<TransportPending>& outcome) {
  if (!outcome && !end.error) end.error = outcome.error();
  take_outputs(end);
}

void Call::take_outputs(End& end) {
  auto& transport = end.transport;
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): written before it is read.
  std::array<std::byte, dtls::kMaxDatagram> buffer;
  while (const auto transmit = transport.poll_transmit(buffer)) {
    send(end, Packet(buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(transmit->size)),
         transmit->path);
  }
  while (const auto data = transport.poll_data()) end.data.emplace_back(data->begin(), data->end());
  // They are valid together, until the next input.
  std::vector<MediaPacket> packets;
  while (const auto media = transport.poll_media()) packets.push_back(*media);
  for (const MediaPacket& media : packets) {
    auto& kind = media.kind == MediaKind::rtp ? end.rtp : end.rtcp;
    kind.emplace_back(media.packet.begin(), media.packet.end());
  }
  while (const auto event = transport.poll_event()) {
    if (const auto* connected = std::get_if<TransportConnected>(&*event)) {
      end.connected.push_back(connected->info);
    } else if (const auto* limit = std::get_if<TransportSsrcLimit>(&*event)) {
      end.ssrc_limits.push_back(limit->direction);
    } else {
      end.closed = true;
    }
  }
}

void Call::send(const End& from, Packet datagram, PathId path) {
  Flight flight{.to_server = &from == &client, .path = path, .bytes = std::move(datagram)};
  if (network(flight)) flights_.emplace(now + delay, std::move(flight));
}

void Call::run_until(Instant until) {
  for (;;) {
    auto next = until;
    if (!flights_.empty()) next = std::min(next, flights_.begin()->first);
    for (const auto* end : {&client, &server}) {
      if (const auto timeout = end->transport.next_timeout()) next = std::min(next, *timeout);
    }
    const bool nothing_left =
        next == until && (flights_.empty() || flights_.begin()->first > until);
    now = std::max(now, next);
    for (auto* end : {&client, &server}) {
      if (const auto timeout = end->transport.next_timeout(); timeout && *timeout <= now) {
        settle(*end, end->transport.handle_timeout(now));
      }
    }
    while (!flights_.empty() && flights_.begin()->first <= now) {
      auto flight = std::move(flights_.extract(flights_.begin()).mapped());
      inject(flight.to_server ? server : client, std::move(flight.bytes), flight.path);
    }
    if (nothing_left) return;
  }
}

bool Call::send_rtp(End& from, const Packet& plain) {
  auto sealed = protect_rtp(from, plain);
  const auto path = from.transport.path();
  if (sealed.empty() || !path) return false;
  send(from, std::move(sealed), *path);
  return true;
}

bool Call::send_rtcp(End& from, const Packet& plain) {
  auto sealed = protect_rtcp(from, plain);
  const auto path = from.transport.path();
  if (sealed.empty() || !path) return false;
  send(from, std::move(sealed), *path);
  return true;
}

bool Call::send_data(End& from, const Packet& plain) {
  Packet record(plain.size() + dtls::kSealOverhead);
  const auto size = from.transport.seal_data(plain, record);
  const auto path = from.transport.path();
  if (!size || !path) return false;
  record.resize(*size);
  send(from, std::move(record), *path);
  return true;
}

void Call::inject(End& to, Packet datagram, PathId path) {
  settle(to, to.transport.handle_datagram(datagram, path, now));
}

Packet protect_rtp(End& from, Packet plain) {
  return seal(plain, srtp::kMaxTrailer,
              [&](Packet& buffer) { return from.transport.protect_rtp(buffer, plain.size()); });
}

Packet protect_rtcp(End& from, Packet plain) {
  return seal(plain, srtp::kMaxTrailer,
              [&](Packet& buffer) { return from.transport.protect_rtcp(buffer, plain.size()); });
}

dtls::Fingerprint wrong_fingerprint() {
  return {.hash = dtls::HashAlgorithm::sha256, .value = dtls::Buffer(32, std::byte{0xab})};
}

}  // namespace sluice::transport
