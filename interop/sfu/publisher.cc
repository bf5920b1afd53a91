#include "sfu/publisher.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>
#include <variant>

#include <sluice/rtp/extension.h>

#include "common/random_numbers.h"

namespace sluice::interop::sfu {
namespace {

constexpr std::string_view kOwnCname = "sluice";

}  // namespace

Publisher::Publisher(ice_lite::SessionHandle session, std::vector<PublishedTrack> agreed,
                     rtp::Ssrc own_ssrc, const TrackOptions& options, dtls::Instant now)
    : session_(session),
      own_ssrc_(own_ssrc),
      timer_({}, media_time(now), common::random_u32()),
      heard_at_(now) {
  tracks_.reserve(agreed.size());
  for (auto& track : agreed) tracks_.emplace_back(session, std::move(track), own_ssrc, options);
}

// RFC 9143 section 9.2: an SSRC that is known; else the MID; else a payload type that only one
// section has.
Track* Publisher::track_of(const rtp::Packet& packet) {
  const auto known = std::ranges::find(tracks_, std::optional(packet.ssrc), &Track::source);
  if (known != tracks_.end()) return &*known;
  for (Track& track : tracks_) {
    if (!track.agreed().mid_extension) continue;
    const auto value = rtp::find_extension(packet.extension, *track.agreed().mid_extension);
    const auto mid = value && *value ? rtp::read_mid(**value) : std::string_view{};
    if (mid && !mid->empty() && *mid == track.agreed().mid) return &track;
  }
  const auto fits = [&](const Track& track) {
    return track.agreed().payload_types.at(rtp::number(packet.payload_type));
  };
  const auto found = std::ranges::find_if(tracks_, fits);
  return std::ranges::count_if(tracks_, fits) == 1 ? &*found : nullptr;
}

Track* Publisher::on_rtp(rtp::MutableBytes bytes, Counters& counters, dtls::Instant now) {
  heard_at_ = now;
  const auto packet = rtp::read_packet(bytes);
  if (!packet) {
    ++counters.malformed;
    return nullptr;
  }
  Track* const track = track_of(*packet);
  if (track == nullptr || !track->on_rtp(*packet, bytes, now)) {
    ++counters.rtp_dropped;
    return nullptr;
  }
  ++counters.rtp_received;
  return track;
}

void Publisher::on_rtcp(rtp::Bytes compound, Counters& counters, dtls::Instant now) {
  timer_.on_compound(compound.size());
  rtp::CompoundReader reader(compound);
  while (const auto packet = reader.next()) {
    if (!*packet) {
      ++counters.malformed;
      continue;
    }
    const auto* report = std::get_if<rtp::SenderReport>(&**packet);
    if (report == nullptr) continue;
    for (Track& track : tracks_) {
      if (track.source() == report->sender) track.on_sender_report(*report, now);
    }
  }
}

void Publisher::handle_timeout(MediaPort& port, dtls::Instant now) {
  for (Track& track : tracks_) track.handle_timeout(port, now);
  if (timer_.next_timeout() > media_time(now)) return;
  const auto due = timer_.handle_timeout(media_time(now), common::random_u32());
  if (due == rtp::ReportDue::regular) send_report(port, now);
}

void Publisher::send_report(MediaPort& port, dtls::Instant now) {
  std::array<rtp::ReportBlock, 2> blocks;
  std::size_t count = 0;
  for (Track& track : tracks_) {
    const auto block = track.report_block(now);
    if (block && count < blocks.size()) blocks.at(count++) = *block;
  }
  const rtp::SdesItem cname{.source = own_ssrc_, .type = rtp::SdesType::cname, .text = kOwnCname};
  const std::size_t size = port.send_rtcp(session_, [&](rtp::CompoundWriter& writer) {
    (void)writer.add(rtp::ReceiverReport{
        .sender = own_ssrc_, .blocks = std::span<const rtp::ReportBlock>(blocks).first(count)});
    (void)writer.add(rtp::SourceDescription{std::span(&cname, 1)});
  });
  if (size > 0) timer_.on_compound(size);
}

}  // namespace sluice::interop::sfu
