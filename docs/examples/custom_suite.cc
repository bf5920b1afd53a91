// A handshake with a custom cipher suite.
#include <sluice/dtls/connection.h>

#include <iostream>

#include "ocb_suite.h"

// In a server, datagrams go through a socket here.
static bool carry(dtls::Connection& from, dtls::Connection& to, dtls::Instant now) {
  std::byte datagram[dtls::kMaxDatagram];
  bool carried = false;
  while (const auto next = from.poll_transmit(datagram)) {
    const auto taken = to.handle_datagram(std::span(datagram).first(next->size), next->path, now);
    if (!taken) std::cerr << to_string(taken.error()) << '\n';
    carried = true;
  }
  return carried;
}

int main() {
  auto environment = dtls::Environment::make().value();
  const auto key = dtls::PreSharedKey::make(std::as_bytes(std::span("sensor 7")),
                                            std::as_bytes(std::span("a key from a generator")))
                       .value();
  dtls::ConfigOptions options;
  options.pre_shared_keys = {key};
  options.cipher_suites = {OcbSuite::kId};
  options.custom_cipher_suites = {std::make_shared<OcbSuite>(dtls::KeyExchange12::ecdhe_psk)};
  const auto config = dtls::Config::make(options).value();

  const dtls::PathId path{0};
  const dtls::Instant now{};  // from your clock
  auto client = dtls::Connection::client(config, environment, path, now).value();
  auto server = dtls::Connection::server(config, environment, path, now).value();
  while (carry(client, server, now) || carry(server, client, now)) {
  }
  if (!client.connected() || server.info()->cipher_suite != OcbSuite::kId) return 1;

  std::byte record[dtls::kMaxDatagram];
  const auto sealed = client.seal(std::as_bytes(std::span("under OCB")), record);
  if (!sealed || !server.handle_datagram(std::span(record).first(*sealed), path, now)) return 1;
  const auto data = server.poll_data();
  if (!data) return 1;
  std::cout << reinterpret_cast<const char*>(data->data()) << '\n';
}
