#include "memory.h"

#include "measures.h"

namespace sluice::bench {
namespace {

constexpr auto k12 = dtls::ProtocolVersion::dtls12;
constexpr auto k13 = dtls::ProtocolVersion::dtls13;

template <class Bytes>
Contestant memory_contestant(const char* name, Bytes&& bytes) {
  return {.name = name,
          .work = Sampled([=](const Plan& plan) { return std::vector{bytes(plan.sessions)}; })};
}

Measure memory_measure(const char* name, dtls::ProtocolVersion version, Phase phase, Warmth warmth,
                       double limit) {
  Measure measure{.name = std::string("memory/") + name + (version == k13 ? "/1.3" : "/1.2"),
                  .unit = "bytes each",
                  .contestants = {memory_contestant(kOurs,
                                                    [=](std::size_t sessions) {
                                                      return sluice_bytes_each(version, phase,
                                                                               warmth, sessions);
                                                    })},
                  .goals = {{"", limit}}};
  if (version != k12 || (phase == Phase::idle && warmth == Warmth::cold)) return measure;
  auto& all = measure.contestants;
  all.push_back(memory_contestant(
      "libssl", [=](std::size_t sessions) { return libssl_bytes_each(phase, sessions); }));
  all.push_back(memory_contestant(
      "gnutls", [=](std::size_t sessions) { return gnutls_bytes_each(phase, sessions); }));
  return measure;
}

}  // namespace

void add_memory(Measures& measures) {
  for (const auto version : {k12, k13}) {
    const double warm = version == k12 ? 3000 : 4500;
    measures.push_back(
        memory_measure("in_progress", version, Phase::in_progress, Warmth::warm, 12'000));
    measures.push_back(memory_measure("idle_warm", version, Phase::idle, Warmth::warm, warm));
    measures.push_back(memory_measure("idle_cold", version, Phase::idle, Warmth::cold, 600));
  }
}

}  // namespace sluice::bench
