#include "support/virtual_network.h"

#include <algorithm>
#include <array>
#include <utility>

namespace sluice::test {

using dtls::Buffer;
using dtls::Instant;

void Peer::settle(const dtls::Result<dtls::Pending>& outcome, Instant now) {
  latest_ = now;
  if (!outcome && !error) error = outcome.error();
  take_outputs(now);
}

void Peer::take_outputs(Instant now) {
  while (const auto bytes = connection_.poll_data())
    data.emplace_back(bytes->begin(), bytes->end());
  const auto asked_before = question;
  while (auto event = connection_.poll_event()) on_event(std::move(*event), now);
  if (accepts_peer && question && question != asked_before) {
    settle(connection_.answer(*question, dtls::AcceptPeer{}, now), now);
  }
  ask_store(now);
}

void Peer::ask_store(Instant now) {
  if (store == nullptr) return;
  if (const auto asked = std::exchange(session_request, {})) {
    settle(connection_.answer(asked->question, store->answer(*asked, now), now), now);
  }
  if (const auto asked = std::exchange(psk_request, {})) {
    settle(connection_.answer(asked->question, store->answer(*asked, now), now), now);
  }
}

void Peer::on_event(dtls::Event event, Instant now) {
  if (auto* certificate = std::get_if<dtls::PeerCertificateReceived>(&event)) {
    peer_chain = std::move(certificate->chain);
    peer_type = certificate->type;
    question = certificate->question;
  } else if (auto* request = std::get_if<dtls::PskRequested>(&event)) {
    psk_request = std::move(*request);
  } else if (auto* asked = std::get_if<dtls::SessionRequested>(&event)) {
    session_request = std::move(*asked);
  } else if (auto* wanted = std::get_if<dtls::IdentityRequested>(&event)) {
    identity_request = std::move(*wanted);
  } else if (auto* to_sign = std::get_if<dtls::SignatureRequested>(&event)) {
    signature_request = std::move(*to_sign);
  } else if (auto* complete = std::get_if<dtls::ConnectionToVerify>(&event)) {
    to_verify = std::move(*complete);
  } else if (auto* choosing = std::get_if<dtls::ConfigRequested>(&event)) {
    config_request = std::move(*choosing);
  } else if (const auto* done = std::get_if<dtls::Connected>(&event)) {
    connected = done->info;
    connected_at = now;
  } else if (auto* ticket = std::get_if<dtls::SessionReceived>(&event)) {
    sessions.push_back(std::move(ticket->session));
  } else if (auto* to_store = std::get_if<dtls::SessionToStore>(&event)) {
    if (store != nullptr) store->keep(*to_store, now);
    stored.push_back(std::move(*to_store));
  } else if (const auto* moved = std::get_if<dtls::PathChanged>(&event)) {
    path_changes.push_back(*moved);
  } else {
    closed = true;
  }
}

std::vector<Buffer> Peer::take_datagrams() {
  std::vector<Buffer> datagrams;
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): written before it is read.
  std::array<std::byte, dtls::kMaxDatagram> out;
  while (const auto transmit = connection_.poll_transmit(out)) {
    datagrams.emplace_back(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(transmit->size));
  }
  take_outputs(latest_);
  return datagrams;
}

void Peer::receive(Buffer datagram, Instant now) {
  settle(connection_.handle_datagram(datagram, connection_.path(), now), now);
}

Buffer Peer::seal(dtls::Bytes bytes) {
  Buffer out(std::max(bytes.size() + dtls::kSealOverhead, connection_.sealed_size(bytes.size())));
  const auto size = connection_.seal(bytes, out);
  out.resize(size.value_or(0));
  return out;
}

bool VirtualNetwork::happens(double probability) {
  return std::uniform_real_distribution<>(0, 1)(random_) < probability;
}

void VirtualNetwork::send(const Buffer& datagram, bool from_client) {
  ++datagrams_sent_;
  const int copies = happens(conditions_.duplicate) ? 2 : 1;
  for (int i = 0; i < copies; ++i) {
    if (happens(conditions_.loss)) continue;
    Buffer copy = datagram;
    if (happens(conditions_.corrupt) && !copy.empty()) {
      const auto bit = std::uniform_int_distribution<std::size_t>(0, copy.size() * 8 - 1)(random_);
      copy[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
    }
    const dtls::Duration late{
        std::uniform_int_distribution<dtls::Duration::rep>(0, conditions_.jitter.count())(random_)};
    in_flight_.emplace(now_ + conditions_.delay + late, InFlight{from_client, std::move(copy)});
  }
}

void VirtualNetwork::send_pending(Peer& from, bool from_client) {
  for (const Buffer& datagram : from.take_datagrams()) send(datagram, from_client);
}

bool VirtualNetwork::step(Peer& client, Peer& server, Instant limit) {
  send_pending(client, true);
  send_pending(server, false);
  const auto arrival = in_flight_.empty() ? Instant::max() : in_flight_.begin()->first;
  const Instant client_timeout = client.connection().next_timeout().value_or(Instant::max());
  const Instant server_timeout = server.connection().next_timeout().value_or(Instant::max());
  const Instant next = std::min({arrival, client_timeout, server_timeout});
  if (next == Instant::max() || next > limit) return false;
  now_ = std::max(now_, next);
  if (next == arrival) {
    auto node = in_flight_.extract(in_flight_.begin());
    Peer& to = node.mapped().from_client ? server : client;
    Buffer& datagram = node.mapped().datagram;
    if (!middlebox_) {
      to.receive(std::move(datagram), now_);
      return true;
    }
    const auto sender = node.mapped().from_client ? dtls::Role::client : dtls::Role::server;
    for (Buffer& arriving : middlebox_(sender, std::move(datagram))) {
      to.receive(std::move(arriving), now_);
    }
    return true;
  }
  Peer& woken = next == client_timeout ? client : server;
  woken.settle(woken.connection().handle_timeout(now_), now_);
  return true;
}

void VirtualNetwork::run_handshake(Peer& client, Peer& server, dtls::Duration limit) {
  const Instant end = now_ + limit;
  while (!(client.connected && server.connected) && !client.error && !server.error) {
    if (!step(client, server, end)) return;
  }
}

void VirtualNetwork::run_until(Peer& client, Peer& server, Instant until) {
  while (step(client, server, until)) {
  }
  now_ = std::max(now_, until);
}

}  // namespace sluice::test
