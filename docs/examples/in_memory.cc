// Both ends of a DTLS association in one process: the program of the README.
#include <sluice/dtls/connection.h>
#include <sluice/dtls/identity.h>

#include <iostream>

namespace dtls = sluice::dtls;

// In a server, datagrams go through a socket here.
static bool carry(dtls::Connection& from, dtls::Connection& to, dtls::Instant now) {
  std::byte datagram[dtls::kMaxDatagram];
  while (const auto next = from.poll_transmit(datagram)) {
    if (!to.handle_datagram(std::span(datagram).first(next->size), next->path, now)) return false;
  }
  return true;
}

int main() {
  auto environment = dtls::Environment::make().value();  // one per thread
  const auto identity = dtls::Identity::self_signed(environment).value();
  const auto config = dtls::Config::make({.identities = {identity}}).value();
  const auto sha256 = dtls::HashAlgorithm::sha256;
  const auto print = dtls::Fingerprint::of(identity.certificate(), sha256, environment).value();

  const dtls::Instant now{};  // from your clock
  auto client = dtls::Connection::client(config, environment, dtls::PathId{0}, now).value();
  auto server = dtls::Connection::server(config, environment, dtls::PathId{0}, now).value();
  // From a=fingerprint of the peer's SDP.
  if (!client.set_peer_fingerprints({{print}}, now)) return 1;
  if (!server.set_peer_fingerprints({{print}}, now)) return 1;
  while (!client.connected() || !server.connected()) {
    if (!carry(client, server, now) || !carry(server, client, now)) return 1;
  }
  if (const auto keys = server.srtp_keys()) std::cout << to_string(keys->profile) << '\n';

  std::byte record[dtls::kMaxDatagram];
  const auto sealed = client.seal(std::as_bytes(std::span("hello")), record);
  if (!sealed) return 1;
  if (!server.handle_datagram(std::span(record).first(*sealed), server.path(), now)) return 1;
  const auto data = server.poll_data();
  if (data) std::cout << "data: " << reinterpret_cast<const char*>(data->data()) << '\n';
}
