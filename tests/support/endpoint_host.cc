#include "support/endpoint_host.h"

#include <array>

namespace sluice::test {

using dtls::Buffer;
using dtls::Instant;
using dtls::UdpPath;

dtls::UdpEndpoint address_of(std::uint32_t host, std::uint16_t port) {
  const std::uint32_t number = (192U << 24 | 2U << 8) + host;
  return {dtls::Ipv4Address{
              static_cast<std::uint8_t>(number >> 24), static_cast<std::uint8_t>(number >> 16),
              static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number)},
          port};
}

UdpPath path_of(std::uint32_t host, std::uint16_t port) {
  return {.socket = dtls::SocketId{1}, .peer = address_of(host, port)};
}

namespace {

dtls::EndpointOptions with_server(dtls::EndpointOptions options, const dtls::ConfigPtr& server) {
  options.server = server;
  return options;
}

}  // namespace

EndpointHost::EndpointHost(const dtls::ConfigPtr& server, dtls::EndpointOptions options)
    : endpoint(must(dtls::Endpoint::make(with_server(std::move(options), server), environment()))) {
}

void EndpointHost::receive(Buffer datagram, const UdpPath& path, Instant now) {
  endpoint.handle_datagram(datagram, path, now);
  settle(now);
}

void EndpointHost::handle_timeout(Instant now) {
  endpoint.handle_timeout(now);
  settle(now);
}

void EndpointHost::settle(Instant now) {
  latest_ = now;
  while (const auto data = endpoint.poll_data()) {
    known[data->connection].data.emplace_back(data->bytes.begin(), data->bytes.end());
  }
  while (auto event = endpoint.poll_event()) {
    if (const auto* asked = std::get_if<dtls::PeerCertificateReceived>(&event->what)) {
      if (!accepts_peers) continue;
      // What the answer leads to comes with the next turns; data are there at once.
      must(endpoint.answer(event->connection, asked->question, dtls::AcceptPeer{}, now)
               .map([](dtls::Pending) {}));
      while (const auto data = endpoint.poll_data()) {
        known[data->connection].data.emplace_back(data->bytes.begin(), data->bytes.end());
      }
    } else if (const auto* choosing = std::get_if<dtls::ConfigRequested>(&event->what)) {
      config_requests.push_back(*choosing);
    } else if (const auto* connected = std::get_if<dtls::Connected>(&event->what)) {
      known[event->connection].connected = connected->info;
    } else if (const auto* moved = std::get_if<dtls::PeerMoved>(&event->what)) {
      known[event->connection].moves.push_back(*moved);
    } else if (const auto* ended = std::get_if<dtls::Ended>(&event->what)) {
      known[event->connection].ended = *ended;
    } else if (auto* aged = std::get_if<dtls::SessionAged>(&event->what)) {
      known[event->connection].aged = std::move(*aged);
    } else if (auto* restored = std::get_if<dtls::SessionRestored>(&event->what)) {
      known[event->connection].restored = std::move(*restored);
    } else if (auto* asked_for = std::get_if<dtls::SessionWanted>(&event->what)) {
      wanted.push_back(std::move(*asked_for));
    }
  }
}

std::vector<EndpointHost::Sent> EndpointHost::take_datagrams() {
  std::vector<Sent> all;
  std::array<std::byte, dtls::kMaxDatagram> out{};
  while (const auto sent = endpoint.poll_transmit(out)) {
    all.push_back({sent->path, Buffer(out.begin(), out.begin() + static_cast<long>(sent->size)),
                   sent->connection});
  }
  settle(latest_);
  return all;
}

EndpointHost::Known* EndpointHost::at(const UdpPath& path) {
  const auto handle = endpoint.find(path);
  return handle ? &known[*handle] : nullptr;
}

Buffer EndpointHost::seal(const UdpPath& path, dtls::Bytes data) {
  const auto handle = endpoint.find(path);
  return handle ? seal(*handle, data) : Buffer();
}

Buffer EndpointHost::seal(dtls::ConnectionHandle connection, dtls::Bytes data) {
  const dtls::Connection* sender = endpoint.find(connection);
  Buffer out(sender != nullptr ? sender->sealed_size(data.size()) : 0);
  const auto size = endpoint.seal(connection, data, out);
  out.resize(size.value_or(0));
  return out;
}

void exchange(Peer& client, const UdpPath& path, EndpointHost& host, Instant now) {
  for (bool moved = true; moved;) {
    moved = false;
    for (Buffer& datagram : client.take_datagrams()) {
      host.receive(std::move(datagram), path, now);
    }
    for (auto& sent : host.take_datagrams()) {
      if (sent.path != path) continue;
      client.receive(std::move(sent.datagram), now);
      moved = true;
    }
  }
}

void exchange(EndpointHost& one, EndpointHost& other, Instant now) {
  for (bool moved = true; moved;) {
    moved = false;
    for (auto& sent : one.take_datagrams()) {
      other.receive(std::move(sent.datagram), sent.path, now);
      moved = true;
    }
    for (auto& sent : other.take_datagrams()) {
      one.receive(std::move(sent.datagram), sent.path, now);
      moved = true;
    }
  }
}

bool works(Peer& client, const UdpPath& path, EndpointHost& host, Instant now) {
  const auto* before = host.at(path);
  if (before == nullptr || !client.connected || !before->connected) return false;
  const Buffer data(100, std::byte{7});
  host.receive(client.seal(data), path, now);
  client.receive(host.seal(path, data), now);
  const auto* after = host.at(path);
  return after != nullptr && !after->data.empty() && after->data.back() == data &&
         !client.data.empty() && client.data.back() == data;
}

}  // namespace sluice::test
