#include "handshake.h"

#include "measures.h"

namespace sluice::bench {
namespace {

constexpr auto kIn12 = dtls::ProtocolVersion::dtls12;
constexpr auto kIn13 = dtls::ProtocolVersion::dtls13;
constexpr auto kP256 = dtls::NamedGroup::secp256r1;
// Microseconds of CPU time a side: half of what both take.
constexpr double kMicrosecondsASide = 1e6 / 2;

using Runner = void (*)(benchmark::State&, const HandshakeKind&);

Contestant contestant(const char* name, Runner runner, const HandshakeKind& kind) {
  return {.name = name, .work = Timed{[=](benchmark::State& state) { runner(state, kind); }}};
}

struct Peers {
  bool libssl = false;
  bool gnutls = false;
};

Measure measure_of(const char* name, const HandshakeKind& kind, Peers peers,
                   std::vector<Goal> goals) {
  Measure measure{.name = std::string("handshake/") + name,
                  .unit = "us a side",
                  .per_second = kMicrosecondsASide,
                  .contestants = {contestant(kOurs, run_sluice_handshakes, kind)},
                  .goals = std::move(goals)};
  auto& all = measure.contestants;
  if (peers.libssl) all.push_back(contestant("libssl", run_libssl_handshakes, kind));
  if (peers.gnutls) all.push_back(contestant("gnutls", run_gnutls_handshakes, kind));
  all.push_back(contestant("floor", run_handshake_floor, kind));
  return measure;
}

}  // namespace

void add_handshakes(Measures& measures) {
  const Peers both{.libssl = true, .gnutls = true};
  const Peers libssl{.libssl = true};
  const std::vector<Goal> full12{{"libssl", 1 / 2.0}, {"floor", 1.25}};
  const std::vector<Goal> full13{{"floor", 1.35}};
  measures.push_back(measure_of("full/x25519/1.2", {.version = kIn12}, both, full12));
  measures.push_back(measure_of("full/p256/1.2", {.version = kIn12, .group = kP256}, both, full12));
  measures.push_back(measure_of("full/x25519/1.3", {.version = kIn13}, {}, full13));
  measures.push_back(measure_of("full/p256/1.3", {.version = kIn13, .group = kP256}, {}, full13));
  measures.push_back(measure_of("psk_ccm_8/1.2", {.version = kIn12, .psk = true}, both,
                                {{"libssl", 1 / 2.5}, {"gnutls", 1}}));
  measures.push_back(measure_of("psk_x25519/1.3", {.version = kIn13, .psk = true}, {}, {}));
  measures.push_back(measure_of("resumed/session_id/1.2",
                                {.version = kIn12, .resumed = Resumed::session_id}, libssl, {}));
  measures.push_back(measure_of(
      "resumed/ticket/1.2", {.version = kIn12, .resumed = Resumed::ticket}, both, {{"gnutls", 1}}));
  measures.push_back(measure_of("resumed/ticket_x25519/1.3",
                                {.version = kIn13, .resumed = Resumed::ticket}, {}, {}));
}

}  // namespace sluice::bench
