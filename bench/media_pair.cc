#include "media_pair.h"

#include <array>
#include <stdexcept>

#include "support/endpoints.h"

namespace sluice::bench {
namespace {

transport::MediaTransport make_transport(dtls::SrtpProfile profile) {
  dtls::ConfigOptions options = test::options();
  options.srtp_profiles = {profile};
  return test::must(
      transport::MediaTransport::make({.dtls = test::make_config(options)}, test::environment()));
}

bool carry_media(transport::MediaTransport& from, transport::MediaTransport& to) {
  std::array<std::byte, dtls::kMaxDatagram> wire{};
  bool moved = false;
  while (const auto sent = from.poll_transmit(wire)) {
    moved = true;
    test::must(to.handle_datagram(dtls::MutableBytes(wire).first(sent->size), sent->path, {}));
    while (to.poll_event()) continue;
  }
  return moved;
}

}  // namespace

MediaPair::MediaPair(dtls::SrtpProfile profile)
    : client(make_transport(profile)), server(make_transport(profile)) {
  const std::array fingerprints{test::must(dtls::Fingerprint::of(
      test::ecdsa_identity().certificate(), dtls::HashAlgorithm::sha256, test::environment()))};
  test::must(client.start(dtls::Role::client, {}));
  test::must(server.start(dtls::Role::server, {}));
  for (auto* end : {&server, &client}) {
    test::must(end->set_peer_fingerprints(fingerprints, {}));
    test::must(end->path_selected(kMediaPath, std::nullopt, {}));
  }
  for (bool moved = true; moved;) {
    moved = carry_media(client, server);
    moved = carry_media(server, client) || moved;
  }
  if (!client.connected() || !server.connected()) throw std::runtime_error("no call");
}

}  // namespace sluice::bench
