// An IceLiteServer and its clients in virtual time: time jumps from one thing that happens to the
// next. All chance comes from the seed.
#pragma once

#include <sluice/ice_lite/ice_lite_server.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <vector>

#include "support/endpoints.h"
#include "support/ice_client.h"
#include "support/virtual_network.h"

namespace sluice::test {

// What the goals of memory are for.
inline dtls::ConfigOptions dtls13_with_gcm() {
  auto options = options_for(dtls::ProtocolVersion::dtls13);
  options.cipher_suites = {dtls::CipherSuite::aes_128_gcm_sha256};
  options.srtp_profiles = {dtls::SrtpProfile::aead_aes_128_gcm};
  return options;
}

dtls::UdpEndpoint address(std::uint8_t host, std::uint16_t port);
inline constexpr dtls::UdpEndpoint kServerAddress{dtls::Ipv4Address{198, 51, 100, 1}, 443};

class IceWorld {
 public:
  struct Options {
    ice_lite::ServerOptions server = {};
    PathConditions conditions = {};
    std::uint64_t seed = 1;
    dtls::UdpEndpoint server_address = kServerAddress;
    // Of both ends.
    dtls::ConfigOptions dtls = options();
    dtls::Environment* environment = &test::environment();
  };
  struct Received {
    ice_lite::SessionHandle session;
    Packet bytes;
  };

  explicit IceWorld(Options options);

  // A session and its client, which does not begin yet.
  ice_lite::SessionHandle add(IceClientOptions client, ice_lite::SessionOptions session = {});
  // add(), and the client begins.
  ice_lite::SessionHandle begin(IceClientOptions client, ice_lite::SessionOptions session = {});

  void run_until(dtls::Instant until);
  void run_for(dtls::Duration duration) { run_until(now + duration); }
  // As anybody may: straight into the server, which is drained.
  void inject(dtls::Buffer datagram, const dtls::UdpEndpoint& from);
  bool send_rtp(ice_lite::SessionHandle session, const Packet& plain);
  bool send_data(ice_lite::SessionHandle session, const Packet& plain);
  // Puts what a client has on its way.
  void flush(std::size_t client);
  // Takes all outputs of the server.
  void drain();

  template <class What>
  [[nodiscard]] std::vector<What> events(ice_lite::SessionHandle session) const {
    std::vector<What> found;
    for (const auto& event : all_events) {
      const auto* what = std::get_if<What>(&event.what);
      if (event.session == session && what != nullptr) found.push_back(*what);
    }
    return found;
  }

  dtls::Instant now = dtls::Instant(std::chrono::hours{1});
  ice_lite::IceLiteServer server;
  std::vector<std::unique_ptr<IceClient>> clients;
  // The last datagrams to addresses that no client has.
  std::vector<ice_lite::Transmit> to_strangers;
  std::vector<dtls::Buffer> bytes_to_strangers;
  std::vector<ice_lite::Event> all_events;
  std::vector<Received> rtp;
  std::vector<Received> data;
  // False: between two processes; what arrives is lost.
  bool is_server_up = true;
  // False drops a datagram of a client.
  std::function<bool(std::size_t client, std::size_t candidate, dtls::Bytes)> to_server =
      [](std::size_t, std::size_t, dtls::Bytes) { return true; };

 private:
  struct Flight {
    bool to_server;
    std::size_t client;
    std::size_t candidate;
    dtls::Buffer bytes;
  };

  void post(const Flight& flight);
  void arrive(Flight flight);
  bool happens(double probability);

  Options options_;
  std::mt19937_64 random_;
  std::multimap<dtls::Instant, Flight> flights_;
};

}  // namespace sluice::test
