// A device and a gateway know each other by their public keys alone (RFC 7250), as CoAP's mode
// RawPublicKey has it.
#include <sluice/dtls/connection.h>

#include <iostream>

namespace dtls = sluice::dtls;

namespace {

// In a device, datagrams go through a socket here.
bool carry(dtls::Connection& from, dtls::Connection& to) {
  std::byte datagram[dtls::kMaxDatagram];
  bool carried = false;
  while (const auto next = from.poll_transmit(datagram)) {
    const auto taken = to.handle_datagram(std::span(datagram).first(next->size), next->path, {});
    if (!taken) std::cerr << to_string(taken.error()) << '\n';
    carried = true;
  }
  return carried;
}

// Sends the key of `own` in place of a certificate, and accepts nothing else of the peer.
dtls::ConfigPtr raw_public_keys(const dtls::Identity& own) {
  dtls::ConfigOptions options;
  options.identities = {own};
  options.own_certificate_types = {dtls::CertificateType::raw_public_key};
  options.peer_certificate_types = {dtls::CertificateType::raw_public_key};
  return dtls::Config::make(options).value();
}

// The fingerprint with which the other side is provisioned.
dtls::Fingerprint fingerprint_of(const dtls::Identity& identity, dtls::Environment& environment) {
  return dtls::Fingerprint::of(identity.public_key(), dtls::HashAlgorithm::sha256, environment)
      .value();
}

bool is_connected(dtls::Connection& connection) {
  while (const auto event = connection.poll_event()) {
    if (const auto* connected = std::get_if<dtls::Connected>(&*event)) {
      return connected->info.peer.credential == dtls::PeerCredential::raw_public_key;
    }
  }
  return false;
}

}  // namespace

int main() {
  auto environment = dtls::Environment::make().value();
  // Identity::raw_public_key() reads a private key; here each side makes one.
  const auto device_key = dtls::Identity::self_signed(environment).value();
  const auto gateway_key = dtls::Identity::self_signed(environment).value();
  auto device = dtls::Connection::client(raw_public_keys(device_key), environment, {}, {}).value();
  auto gateway =
      dtls::Connection::server(raw_public_keys(gateway_key), environment, {}, {}).value();

  const auto of_gateway = fingerprint_of(gateway_key, environment);
  const auto of_device = fingerprint_of(device_key, environment);
  static_cast<void>(device.set_peer_fingerprints({&of_gateway, 1}, {}));
  static_cast<void>(gateway.set_peer_fingerprints({&of_device, 1}, {}));
  while (carry(device, gateway) || carry(gateway, device)) continue;
  return is_connected(device) && is_connected(gateway) ? 0 : 1;
}
