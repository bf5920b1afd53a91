#include "sim/scenario.h"

#include <map>
#include <optional>
#include <ostream>
#include <vector>

#include "support/bytes.h"
#include "support/endpoints.h"
#include "support/fixed_identity.h"
#include "support/hybrid.h"

namespace sluice::test {
namespace {

using dtls::ConfigOptions;
using dtls::ConfigPtr;
using dtls::Connection;
using dtls::Environment;
using dtls::Identity;
using dtls::Instant;
using dtls::NamedGroup;
using dtls::PeerAuthentication;
using dtls::ProtocolVersion;
using dtls::ResumableSession;
using dtls::Resumption;

// An Environment has one observer for all of its life.
struct Forwarder : dtls::PacketObserver {
  void on_datagram(const dtls::ObservedDatagram& datagram) override {
    if (to != nullptr) to->on_datagram(datagram);
  }
  void on_record(const dtls::ObservedRecord& record) override {
    if (to != nullptr) to->on_record(record);
  }
  dtls::PacketObserver* to = nullptr;
};

struct Chance {
  SeededRandom random{0};
  Forwarder observer;
  Environment environment =
      must(Environment::make({.random = &random, .packet_observer = &observer}));
};

Chance& the_chance() {
  static Chance chance;
  return chance;
}

// Always the same: a certificate's size decides how a flight is cut.
Identity identity_of(std::size_t chain) {
  static std::map<std::size_t, Identity> identities;
  const auto found = identities.find(chain);
  if (found != identities.end()) return found->second;
  std::string certificates;
  for (std::size_t i = 0; i < chain; ++i) certificates += kCertificate;
  return identities.emplace(chain, must(Identity::from_pem(certificates, kPrivateKey)))
      .first->second;
}

ConfigOptions options_of(const Scenario& scenario, const VersionRange& versions, std::size_t mtu) {
  ConfigOptions options;
  options.identities = {identity_of(scenario.chain)};
  options.min_version = versions.lowest;
  options.max_version = versions.highest;
  options.mtu = mtu;
  if (scenario.memory != 0) {
    options.max_handshake_message = options.max_reassembly = scenario.memory;
  }
  return options;
}

std::vector<Scenario> make_scenarios() {
  constexpr VersionRange kOnly12{ProtocolVersion::dtls12, ProtocolVersion::dtls12};
  constexpr VersionRange kOnly13{ProtocolVersion::dtls13, ProtocolVersion::dtls13};
  constexpr VersionRange kBoth{};
  std::vector<Scenario> scenarios;
  for (const bool with_certificate : {true, false}) {
    const std::string suffix = with_certificate ? "" : "WithoutClientCertificate";
    const auto add = [&](const std::string& name, VersionRange client, VersionRange server,
                         Course course = Course::plain) {
      scenarios.push_back(
          {name + suffix, client, server, course, with_certificate, 1, scenarios.size()});
    };
    add("Dtls12", kOnly12, kOnly12);
    add("ClientOfBothServerOf12", kBoth, kOnly12);
    add("ClientOf12ServerOfBoth", kOnly12, kBoth);
    add("Dtls12Ticket", kOnly12, kOnly12, Course::resume);
    add("ClientOfBothServerOf12SessionId", kBoth, kOnly12, Course::resume_from_store);
    add("Dtls13", kOnly13, kOnly13);
    add("Dtls13Store", kOnly13, kOnly13, Course::resume_from_store);
    add("Dtls13HelloRetryRequest", kOnly13, kOnly13, Course::retry);
    add("Dtls13Ticket", kOnly13, kOnly13, Course::resume);
    add("Dtls13TicketHelloRetryRequest", kOnly13, kOnly13, Course::resume_after_retry);
    if (has_hybrid()) add("Dtls13Hybrid", kOnly13, kOnly13, Course::hybrid);
  }
  return scenarios;
}

struct Configs {
  ConfigPtr client;
  ConfigPtr server;
};

Configs configs_of(const Scenario& scenario, std::size_t mtu) {
  static const auto kTicketKeys = std::make_shared<dtls::TicketKeys>();
  ConfigOptions client = options_of(scenario, scenario.client, mtu);
  ConfigOptions server = options_of(scenario, scenario.server, mtu);
  if (!scenario.client_certificate) server.peer_authentication = PeerAuthentication::none;
  if (scenario.course == Course::retry || scenario.course == Course::resume_after_retry) {
    server.groups = {NamedGroup::secp256r1};
  }
  if (scenario.course == Course::hybrid) client = with_hybrid(client);
  if (scenario.course == Course::psk) {
    const auto psk = must(dtls::PreSharedKey::make(bytes_of("device"), counted(16)));
    client.pre_shared_keys = {psk};
    server.pre_shared_keys = {psk};
    client.identities.clear();
    server.identities.clear();
  }
  if (scenario.resumes()) {
    client.resumption = Resumption::tickets;
    const bool has_store = scenario.course == Course::resume_from_store;
    server.resumption = has_store ? Resumption::store : Resumption::tickets;
    if (!has_store) server.ticket_keys = kTicketKeys;
  }
  return {make_config(client), make_config(server)};
}

Encounter begin(const Configs& configs, const std::optional<ResumableSession>& session,
                std::uint64_t seed, Instant now) {
  Chance& chance = the_chance();
  static const auto kStore = std::make_shared<dtls::ResumptionStore>();
  chance.random.restart(seed);
  Encounter both{
      Peer(must(Connection::client(configs.client, chance.environment, kPath, now, session))),
      Peer(must(Connection::server(configs.server, chance.environment, kPath, now)))};
  both.server.store = kStore;
  both.client.connection().set_path_rtt(kRtt);
  both.server.connection().set_path_rtt(kRtt);
  return both;
}

// What such a client has from an earlier call over a good path.
ResumableSession session_of(const Scenario& scenario, const Configs& configs) {
  static std::map<std::uint64_t, ResumableSession> sessions;
  const auto found = sessions.find(scenario.number);
  if (found != sessions.end()) return found->second;
  const Instant earlier = Instant{} - std::chrono::hours{1};
  auto [client, server] = begin(configs, {}, scenario.number, earlier);
  VirtualNetwork network({.delay = kRtt / 2}, scenario.number, earlier);
  network.run_until(client, server, earlier + std::chrono::seconds{1});
  return sessions.emplace(scenario.number, client.sessions.at(0)).first->second;
}

}  // namespace

void PrintTo(const Scenario& scenario, std::ostream* out) { *out << scenario.name; }

std::span<const Scenario> all_scenarios() {
  static const std::vector<Scenario> kScenarios = make_scenarios();
  return kScenarios;
}

void show_encounters(dtls::PacketObserver* observer) { the_chance().observer.to = observer; }

Encounter meet(const Scenario& scenario, std::size_t mtu, std::uint64_t seed) {
  const Configs configs = configs_of(scenario, mtu);
  std::optional<ResumableSession> session;
  if (scenario.resumes()) session = session_of(scenario, configs);
  return begin(configs, session, seed, Instant{});
}

}  // namespace sluice::test
