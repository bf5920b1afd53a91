#include "record.h"

#include "measures.h"

namespace sluice::bench {
namespace {

constexpr double kNanoseconds = 1e9;

struct AeadName {
  RecordAead aead;
  const char* name;
};
constexpr AeadName kAeadNames[] = {{RecordAead::aes_128_gcm, "aes_128_gcm"},
                                   {RecordAead::aes_256_gcm, "aes_256_gcm"},
                                   {RecordAead::chacha20_poly1305, "chacha20_poly1305"},
                                   {RecordAead::aes_128_ccm, "aes_128_ccm"},
                                   {RecordAead::aes_128_ccm_8, "aes_128_ccm_8"}};
constexpr std::size_t kSizes[] = {64, 300, 1200};

using RecordRunner = void (*)(benchmark::State&, const RecordKind&);

Contestant record_contestant(const char* name, RecordRunner runner, const RecordKind& kind) {
  return {.name = name, .work = Timed{[=](benchmark::State& state) { runner(state, kind); }}};
}

std::vector<Goal> record_goals(const RecordKind& kind) {
  if (kind.aead != RecordAead::aes_128_gcm || kind.size != 1200) return {};
  if (kind.is_13()) return {{"evp", 1.12}};
  return {{"evp", 1.12}, {"libssl", 1}, {"gnutls", 1}};
}

Measure record_measure(const AeadName& aead, const RecordKind& kind) {
  Measure measure{.name = std::string("record/") +
                          (kind.work == RecordWork::seal ? "seal/" : "open/") + aead.name + "/" +
                          std::to_string(kind.size) + (kind.is_13() ? "/1.3" : "/1.2"),
                  .unit = "ns",
                  .per_second = kNanoseconds,
                  .contestants = {record_contestant(kOurs, run_sluice_records, kind)},
                  .goals = record_goals(kind)};
  auto& all = measure.contestants;
  if (!kind.is_13()) {
    all.push_back(record_contestant("libssl", run_libssl_records, kind));
    all.push_back(record_contestant("gnutls", run_gnutls_records, kind));
  }
  all.push_back(record_contestant("evp", run_evp_records, kind));
  return measure;
}

}  // namespace

void add_records(Measures& measures) {
  for (const auto version : {dtls::ProtocolVersion::dtls12, dtls::ProtocolVersion::dtls13}) {
    for (const AeadName& aead : kAeadNames) {
      for (const std::size_t size : kSizes) {
        for (const auto work : {RecordWork::seal, RecordWork::open}) {
          measures.push_back(record_measure(
              aead, {.version = version, .aead = aead.aead, .work = work, .size = size}));
        }
      }
    }
  }
}

}  // namespace sluice::bench
