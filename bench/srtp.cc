// SRTP packets through MediaTransport beside the calls of libsrtp that it makes, and what a
// session's two contexts take.
#include <sluice/srtp/session.h>

#include <algorithm>
#include <stdexcept>
#include <vector>

#include "heap.h"
#include "measures.h"
#include "media_pair.h"
#include "raw_srtp.h"
#include "record_batch.h"
#include "support/endpoints.h"
#include "support/rtp_packets.h"

namespace sluice::bench {
namespace {

using dtls::SrtpProfile;

constexpr std::size_t kRtpSizes[] = {160, 1200};  // of the payload

const char* profile_name(SrtpProfile profile) {
  switch (profile) {
    case SrtpProfile::aead_aes_256_gcm:
      return "aead_aes_256_gcm";
    case SrtpProfile::aead_aes_128_gcm:
      return "aead_aes_128_gcm";
    case SrtpProfile::aes128_cm_hmac_sha1_80:
      return "aes128_cm_sha1_80";
    case SrtpProfile::aes128_cm_hmac_sha1_32:
      return "aes128_cm_sha1_32";
  }
  throw std::logic_error("SRTP profile");
}

struct SrtpKind {
  SrtpProfile profile;
  RecordWork work;
  std::size_t payload;
};

// Writes the next packet's header. The payload is what its last encryption has left: to a cipher
// that is as good as any.
class RtpSource {
 public:
  explicit RtpSource(std::size_t payload) : packet_(test::make_rtp({.payload = payload})) {}
  std::size_t write(dtls::MutableBytes room) {
    ++sequence_;
    packet_[2] = static_cast<std::byte>(sequence_ >> 8);
    packet_[3] = static_cast<std::byte>(sequence_ & 0xff);
    std::copy_n(packet_.begin(), 12, room.begin());
    return packet_.size();
  }

 private:
  test::Packet packet_;
  std::uint16_t sequence_ = 0;
};

void run_sluice_srtp(benchmark::State& state, const SrtpKind& kind) {
  MediaPair pair(kind.profile);
  RtpSource source(kind.payload);
  // Contexts are made with the first packet, and what they keep of an SSRC.
  RecordBatch first;
  const auto sealed = pair.client.protect_rtp(first.room(0), source.write(first.room(0))).value();
  static_cast<void>(pair.server.handle_datagram(first.room(0).first(sealed), kMediaPath, {}));
  static_cast<void>(pair.server.poll_media());
  run_record_work(
      state, kind.work,
      [&](dtls::MutableBytes room) {
        return pair.client.protect_rtp(room, source.write(room)).value();
      },
      [&](dtls::MutableBytes packet) {
        static_cast<void>(pair.server.handle_datagram(packet, kMediaPath, {}));
        if (!pair.server.poll_media()) throw std::runtime_error("not unprotected");
      });
}

void run_raw_srtp(benchmark::State& state, const SrtpKind& kind) {
  RawSrtp outbound(kind.profile, true);
  RawSrtp inbound(kind.profile, false);
  RtpSource source(kind.payload);
  RecordBatch first;
  inbound.unprotect(
      first.room(0).first(outbound.protect(first.room(0), source.write(first.room(0)))));
  run_record_work(
      state, kind.work,
      [&](dtls::MutableBytes room) { return outbound.protect(room, source.write(room)); },
      [&](dtls::MutableBytes packet) { benchmark::DoNotOptimize(inbound.unprotect(packet)); });
}

srtp::Session make_session(SrtpProfile profile) {
  auto keys = test::make_srtp_keys(profile);
  return srtp::Session::make(std::move(keys.client)).value();
}

std::pair<RawSrtp, RawSrtp> make_raw_contexts(SrtpProfile profile) {
  return {RawSrtp(profile, true), RawSrtp(profile, false)};
}

template <class Make>
Contestant set_up_by(const char* name, Make make) {
  return {.name = name, .work = Timed{[=](benchmark::State& state) {
                          while (state.KeepRunning()) {
                            const auto made = make();
                            benchmark::DoNotOptimize(&made);
                          }
                        }}};
}

template <class Make>
Contestant memory_by(const char* name, Make make) {
  return {.name = name, .work = Sampled([=](const Plan& /*plan*/) {
                          constexpr std::size_t kSrtpSessions = 1000;
                          std::vector<decltype(make())> all;
                          all.reserve(kSrtpSessions);
                          all.push_back(make());
                          all.clear();
                          const double before = heap_in_use();
                          for (std::size_t i = 0; i < kSrtpSessions; ++i) all.push_back(make());
                          return std::vector{(heap_in_use() - before) / kSrtpSessions};
                        })};
}

Measure srtp_measure(const SrtpKind& kind) {
  const bool protects = kind.work == RecordWork::seal;
  Measure measure{
      .name = std::string("srtp/") + (protects ? "protect/" : "unprotect/") +
              profile_name(kind.profile) + "/" + std::to_string(kind.payload),
      .unit = "ns",
      .per_second = 1e9,
      .contestants = {
          {kOurs, Timed{[=](benchmark::State& state) { run_sluice_srtp(state, kind); }}},
          {"libsrtp", Timed{[=](benchmark::State& state) { run_raw_srtp(state, kind); }}}}};
  measure.goals = {{"libsrtp", 1.05}};
  return measure;
}

}  // namespace

void add_srtp(Measures& measures) {
  for (const SrtpProfile profile : test::kAllSrtpProfiles) {
    for (const std::size_t payload : kRtpSizes) {
      for (const auto work : {RecordWork::seal, RecordWork::open}) {
        measures.push_back(srtp_measure({profile, work, payload}));
      }
    }
  }
  for (const SrtpProfile profile : test::kAllSrtpProfiles) {
    const auto session = [=] { return make_session(profile); };
    const auto raw = [=] { return make_raw_contexts(profile); };
    measures.push_back({.name = std::string("srtp/session_set_up/") + profile_name(profile),
                        .unit = "us",
                        .per_second = 1e6,
                        .contestants = {set_up_by(kOurs, session), set_up_by("libsrtp", raw)}});
    measures.push_back({.name = std::string("srtp/session_memory/") + profile_name(profile),
                        .unit = "bytes each",
                        .contestants = {memory_by(kOurs, session), memory_by("libsrtp", raw)}});
  }
}

}  // namespace sluice::bench
