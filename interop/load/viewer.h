// A client that watches, and judges what it receives.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include <sluice/rtp/reception.h>

#include "load/client.h"
#include "load/loss_repair.h"
#include "load/recording/recording_check.h"
#include "load/stream_check.h"

namespace sluice::interop::load {

// What a payload type carries; empty: it was not agreed on.
using PayloadKinds = std::array<std::optional<SectionKind>, 128>;

struct ViewerOptions {
  PayloadKinds kinds = {};
  bool asks_again = false;  // for lost packets, by NACK
  // What publishers send; null: packets with stamps.
  std::shared_ptr<const Recording> video = {};
  std::shared_ptr<const Recording> audio = {};
};

class Viewer final : public Client {
 public:
  // Streams that are judged at a time; packets of others are counted.
  static constexpr std::size_t kMaxStreams = 32;

  Viewer(MediaSession session, ViewerOptions options)
      : Client(std::move(session)), options_(std::move(options)) {}

  // As of now, of all streams; see StreamCheck::counts().
  [[nodiscard]] ReceivedCounts counts(const SentPackets& sent = {}) const;
  [[nodiscard]] Traffic traffic() const;
  [[nodiscard]] std::size_t streams() const { return streams_.size(); }
  // Empty: nothing has come.
  [[nodiscard]] std::optional<dtls::Instant> first_packet_at() const { return first_packet_at_; }
  // That are no RTP, of a payload type that was not agreed on, or of one stream too many.
  [[nodiscard]] std::uint64_t unexpected() const { return unexpected_; }

 private:
  struct Stream {
    rtp::Ssrc ssrc{};
    rtp::Reception reception;
    std::variant<StreamCheck, RecordingCheck> check;
    LossRepair repair = {};
  };

  void on_connected(dtls::Instant /*now*/) override {}
  void on_rtp(dtls::MutableBytes packet, dtls::Instant now) override;
  void on_rtcp(const rtp::RtcpPacket& packet, dtls::Instant now) override;
  void on_timeout(dtls::Instant now) override;
  [[nodiscard]] std::optional<dtls::Instant> media_timeout() const override;
  void write_report(rtp::CompoundWriter& writer, dtls::Instant now) override;
  // Null: it is one too many.
  [[nodiscard]] std::variant<StreamCheck, RecordingCheck> check_of(SectionKind kind) const;
  Stream* stream_of(rtp::Ssrc ssrc, SectionKind kind);

  ViewerOptions options_;
  std::vector<Stream> streams_;
  std::optional<dtls::Instant> first_packet_at_ = {};
  std::uint64_t unexpected_ = 0;
};

}  // namespace sluice::interop::load
