#include "load/media_source.h"

#include <sluice/rtp/clock.h>
#include <sluice/rtp/packet.h>

namespace sluice::interop::load {

rtp::Timestamp MediaSource::timestamp(std::uint64_t ticks) const {
  return rtp::Timestamp{static_cast<std::uint32_t>(ticks) + static_cast<std::uint32_t>(names_.id)};
}

std::optional<std::size_t> MediaSource::write_packet(rtp::Bytes payload, bool marker,
                                                     rtp::Timestamp timestamp,
                                                     rtp::MutableBytes out) {
  const auto written =
      rtp::write_packet({.marker = marker,
                         .payload_type = names_.payload_type,
                         .sequence_number = rtp::SequenceNumber{static_cast<std::uint16_t>(
                             packets_ + static_cast<std::uint32_t>(names_.id))},
                         .timestamp = timestamp,
                         .ssrc = names_.ssrc,
                         .payload = payload},
                        out);
  if (!written) return std::nullopt;
  ++packets_;
  bytes_ += payload.size();
  return *written;
}

std::optional<rtp::SenderReport> MediaSource::report(dtls::Instant now) const {
  if (packets_ == 0) return std::nullopt;
  constexpr std::uint32_t kMicroseconds = 1'000'000;
  const auto since = static_cast<std::uint64_t>((now - start_).count());
  return rtp::SenderReport{.sender = names_.ssrc,
                           .ntp_time = rtp::ntp_time(now.time_since_epoch()),
                           .rtp_timestamp = timestamp(since * clock_rate_ / kMicroseconds),
                           .packets = static_cast<std::uint32_t>(packets_),
                           .octets = static_cast<std::uint32_t>(bytes_)};
}

}  // namespace sluice::interop::load
