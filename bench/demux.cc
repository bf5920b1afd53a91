// What comes over ICE's socket is told apart and handed on: STUN, DTLS, RTP and RTCP, mixed as in a
// call.
#include <sluice/transport/classify.h>

#include <array>
#include <stdexcept>
#include <vector>

#include "measures.h"
#include "media_pair.h"
#include "raw_srtp.h"
#include "record_batch.h"
#include "support/rtp_packets.h"

namespace sluice::bench {
namespace {

constexpr double kMillionsPerSecond = 1e-6;
constexpr auto kProfile = dtls::SrtpProfile::aead_aes_128_gcm;
constexpr std::size_t kMediaPayload = 1000;

// Of each 64 datagrams one is a check of ICE's, two carry application data, four are RTCP.
enum class Mixed : std::uint8_t { stun, dtls, rtcp, rtp };
Mixed kind_at(std::size_t i) {
  if (i == 0) return Mixed::stun;
  if (i % 30 == 1) return Mixed::dtls;
  return i % 16 == 2 ? Mixed::rtcp : Mixed::rtp;
}

// A Binding request's header (RFC 8489 section 5), and attributes of no meaning.
test::Packet make_stun() {
  test::Packet packet(100);
  constexpr std::array<unsigned char, 8> kBindingRequest{0, 1, 0, 80, 0x21, 0x12, 0xa4, 0x42};
  for (std::size_t i = 0; i < kBindingRequest.size(); ++i) {
    packet[i] = static_cast<std::byte>(kBindingRequest[i]);
  }
  return packet;
}

class MixedCapture {
 public:
  std::size_t write(std::size_t i, dtls::MutableBytes room) {
    switch (kind_at(i)) {
      case Mixed::stun:
        return copy(stun_, room);
      case Mixed::dtls:
        return pair_.client.seal_data(data_, room).value();
      case Mixed::rtcp:
        return pair_.client.protect_rtcp(room, copy(rtcp_, room)).value();
      case Mixed::rtp:
        break;
    }
    ++sequence_;
    rtp_[2] = static_cast<std::byte>(sequence_ >> 8);
    rtp_[3] = static_cast<std::byte>(sequence_ & 0xff);
    return pair_.client.protect_rtp(room, copy(rtp_, room)).value();
  }

  void dispatch(dtls::MutableBytes datagram) {
    const auto pending = pair_.server.handle_datagram(datagram, kMediaPath, {});
    if (!pending) throw std::runtime_error("the call has ended");
    if (pending->data) benchmark::DoNotOptimize(pair_.server.poll_data());
    if (pending->media) benchmark::DoNotOptimize(pair_.server.poll_media());
  }

  // That nothing was dropped but what isn't for us.
  void check() const {
    const auto& statistics = pair_.server.statistics();
    if (statistics.rtp_received == 0 || statistics.rtcp_received == 0 ||
        statistics.count(srtp::PacketError::authentication_failed) != 0) {
      throw std::runtime_error("the capture doesn't pass");
    }
  }

 private:
  static std::size_t copy(const test::Packet& packet, dtls::MutableBytes room) {
    std::ranges::copy(packet, room.begin());
    return packet.size();
  }

  MediaPair pair_{kProfile};
  test::Packet stun_ = make_stun();
  test::Packet data_ = test::Packet(200, std::byte{7});
  test::Packet rtp_ = test::make_rtp({.payload = kMediaPayload});
  test::Packet rtcp_ = test::make_rtcp();
  std::uint16_t sequence_ = 0;
};

void run_dispatch(benchmark::State& state) {
  MixedCapture capture;
  std::size_t next = 0;
  run_record_work(
      state, RecordWork::open,
      [&](dtls::MutableBytes room) { return capture.write(next++ % kRecordBatch, room); },
      [&](dtls::MutableBytes datagram) { capture.dispatch(datagram); });
  capture.check();
}

// The same media by libsrtp alone, which has to be told what is what.
void run_media_by_libsrtp(benchmark::State& state) {
  RawSrtp outbound(kProfile, true);
  RawSrtp inbound(kProfile, false);
  test::Packet rtp = test::make_rtp({.payload = kMediaPayload});
  std::uint16_t sequence = 0;
  run_record_work(
      state, RecordWork::open,
      [&](dtls::MutableBytes room) {
        ++sequence;
        rtp[2] = static_cast<std::byte>(sequence >> 8);
        rtp[3] = static_cast<std::byte>(sequence & 0xff);
        std::ranges::copy(rtp, room.begin());
        return outbound.protect(room, rtp.size());
      },
      [&](dtls::MutableBytes packet) { benchmark::DoNotOptimize(inbound.unprotect(packet)); });
}

void run_classify(benchmark::State& state) {
  MixedCapture capture;
  RecordBatch batch;
  for (std::size_t i = 0; i < kRecordBatch; ++i) batch.sizes[i] = capture.write(i, batch.room(i));
  std::array<std::uint64_t, transport::kPacketClasses> counts{};
  std::uint64_t rtcp = 0;
  while (state.KeepRunningBatch(kRecordBatch)) {
    for (std::size_t i = 0; i < kRecordBatch; ++i) {
      const auto datagram = batch.record(i);
      const auto what = transport::classify(datagram);
      ++counts[static_cast<std::size_t>(what)];
      if (what == transport::PacketClass::rtp && srtp::is_rtcp(datagram)) ++rtcp;
    }
    benchmark::DoNotOptimize(counts);
    benchmark::DoNotOptimize(rtcp);
  }
}

}  // namespace

void add_demultiplexing(Measures& measures) {
  measures.push_back({.name = "demux/classify",
                      .unit = "M packets/s",
                      .per_second = kMillionsPerSecond,
                      .is_rate = true,
                      .contestants = {{kOurs, Timed{run_classify}}}});
  measures.push_back(
      {.name = "demux/dispatch",
       .unit = "M packets/s",
       .per_second = kMillionsPerSecond,
       .is_rate = true,
       .contestants = {{kOurs, Timed{run_dispatch}}, {"libsrtp", Timed{run_media_by_libsrtp}}}});
}

}  // namespace sluice::bench
