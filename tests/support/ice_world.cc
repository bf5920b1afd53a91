#include "support/ice_world.h"

#include <algorithm>
#include <array>
#include <utility>

namespace sluice::test {
namespace {

dtls::Fingerprint fingerprint_of(const dtls::ConfigOptions& options,
                                 dtls::Environment& environment) {
  return must(dtls::Fingerprint::of(options.identities.front().certificate(),
                                    dtls::HashAlgorithm::sha256, environment));
}

}  // namespace

dtls::UdpEndpoint address(std::uint8_t host, std::uint16_t port) {
  return {dtls::Ipv4Address{192, 0, 2, host}, port};
}

IceWorld::IceWorld(Options options)
    : server(must(ice_lite::IceLiteServer::make(options.server, *options.environment))),
      options_(std::move(options)),
      random_(options_.seed) {}

ice_lite::SessionHandle IceWorld::add(IceClientOptions client, ice_lite::SessionOptions session) {
  const auto fingerprint = fingerprint_of(options_.dtls, *options_.environment);
  const auto config = make_config(options_.dtls);
  session.transport.dtls = config;
  if (session.peer_fingerprints.empty()) session.peer_fingerprints = {fingerprint};
  if (session.remote_ufrag.empty()) session.remote_ufrag = client.local.ufrag;
  const auto handle = must(server.add_session(session, now));
  client.remote = server.local_credentials(handle).value();
  auto media = must(transport::MediaTransport::make({.dtls = config}, *options_.environment));
  const auto role = session.role == dtls::Role::client ? dtls::Role::server : dtls::Role::client;
  static_cast<void>(must(media.start(role, now)));
  static_cast<void>(must(media.set_peer_fingerprints({&fingerprint, 1}, now)));
  clients.push_back(
      std::make_unique<IceClient>(std::move(client), *options_.environment, std::move(media)));
  return handle;
}

ice_lite::SessionHandle IceWorld::begin(IceClientOptions client, ice_lite::SessionOptions session) {
  const auto handle = add(std::move(client), std::move(session));
  clients.back()->begin(now);
  flush(clients.size() - 1);
  return handle;
}

bool IceWorld::happens(double probability) {
  return std::uniform_real_distribution<>(0, 1)(random_) < probability;
}

void IceWorld::post(const Flight& flight) {
  const auto& conditions = options_.conditions;
  const int copies = happens(conditions.duplicate) ? 2 : 1;
  for (int i = 0; i < copies; ++i) {
    if (happens(conditions.loss)) continue;
    Flight copy = flight;
    if (happens(conditions.corrupt) && !copy.bytes.empty()) {
      const auto bit =
          std::uniform_int_distribution<std::size_t>(0, copy.bytes.size() * 8 - 1)(random_);
      copy.bytes[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
    }
    const dtls::Duration late{
        std::uniform_int_distribution<dtls::Duration::rep>(0, conditions.jitter.count())(random_)};
    flights_.emplace(now + conditions.delay + late, std::move(copy));
  }
}

void IceWorld::flush(std::size_t client) {
  for (auto& each : clients[client]->take()) {
    if (!to_server(client, each.candidate, each.bytes)) continue;
    post({true, client, each.candidate, std::move(each.bytes)});
  }
}

void IceWorld::arrive(Flight flight) {
  if (flight.to_server) {
    if (!is_server_up) return;
    return inject(std::move(flight.bytes), clients[flight.client]->candidates()[flight.candidate]);
  }
  clients[flight.client]->handle_datagram(flight.bytes, flight.candidate, now);
  flush(flight.client);
}

void IceWorld::inject(dtls::Buffer datagram, const dtls::UdpEndpoint& from) {
  server.handle_datagram(datagram, {.peer = from, .own = options_.server_address}, now);
  drain();
}

void IceWorld::drain() {
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): written before it is read.
  std::array<std::byte, dtls::kMaxDatagram> buffer;
  while (const auto sent = server.poll_transmit(buffer)) {
    const dtls::Buffer bytes(buffer.begin(),
                             buffer.begin() + static_cast<std::ptrdiff_t>(sent->size));
    bool is_known = false;
    for (std::size_t client = 0; client < clients.size() && !is_known; ++client) {
      const auto& candidates = clients[client]->candidates();
      const auto found = std::ranges::find(candidates, sent->path.peer);
      if (found == candidates.end()) continue;
      is_known = true;
      post({false, client, static_cast<std::size_t>(found - candidates.begin()), bytes});
    }
    if (is_known) continue;
    to_strangers.push_back(*sent);
    bytes_to_strangers.push_back(bytes);
  }
  while (const auto bytes = server.poll_data()) {
    data.push_back({bytes->session, {bytes->bytes.begin(), bytes->bytes.end()}});
  }
  while (const auto media = server.poll_media()) {
    if (media->kind != transport::MediaKind::rtp) continue;
    rtp.push_back({media->session, {media->packet.begin(), media->packet.end()}});
  }
  while (auto event = server.poll_event()) all_events.push_back(std::move(*event));
}

bool IceWorld::send_rtp(ice_lite::SessionHandle session, const Packet& plain) {
  Packet packet = plain;
  packet.resize(plain.size() + srtp::kMaxTrailer);
  const auto sent = server.protect_rtp(session, packet, plain.size());
  if (!sent) return false;
  packet.resize(sent->size);
  for (std::size_t client = 0; client < clients.size(); ++client) {
    const auto& candidates = clients[client]->candidates();
    const auto found = std::ranges::find(candidates, sent->path.peer);
    if (found == candidates.end()) continue;
    post({false, client, static_cast<std::size_t>(found - candidates.begin()), packet});
    return true;
  }
  return false;
}

bool IceWorld::send_data(ice_lite::SessionHandle session, const Packet& plain) {
  Packet record(plain.size() + dtls::kSealOverhead);
  const auto sent = server.seal_data(session, plain, record);
  if (!sent) return false;
  record.resize(sent->size);
  for (std::size_t client = 0; client < clients.size(); ++client) {
    const auto& candidates = clients[client]->candidates();
    const auto found = std::ranges::find(candidates, sent->path.peer);
    if (found == candidates.end()) continue;
    post({false, client, static_cast<std::size_t>(found - candidates.begin()), record});
    return true;
  }
  return false;
}

void IceWorld::run_until(dtls::Instant until) {
  for (;;) {
    auto next = until;
    if (!flights_.empty()) next = std::min(next, flights_.begin()->first);
    if (const auto timeout = server.next_timeout()) next = std::min(next, *timeout);
    for (const auto& client : clients) {
      if (const auto timeout = client->next_timeout()) next = std::min(next, *timeout);
    }
    const bool nothing_left =
        next == until && (flights_.empty() || flights_.begin()->first > until);
    now = std::max(now, next);
    if (const auto timeout = server.next_timeout(); timeout && *timeout <= now) {
      server.handle_timeout(now);
      drain();
    }
    for (std::size_t i = 0; i < clients.size(); ++i) {
      if (const auto timeout = clients[i]->next_timeout(); timeout && *timeout <= now) {
        clients[i]->handle_timeout(now);
        flush(i);
      }
    }
    while (!flights_.empty() && flights_.begin()->first <= now) {
      arrive(std::move(flights_.extract(flights_.begin()).mapped()));
    }
    if (nothing_left) return;
  }
}

}  // namespace sluice::test
