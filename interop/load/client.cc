#include "load/client.h"

#include <span>
#include <string_view>

#include "common/clock.h"
#include "common/random_numbers.h"

namespace sluice::interop::load {

void Client::handle_datagram(dtls::MutableBytes datagram, const dtls::UdpEndpoint& from,
                             dtls::Instant now) {
  session_.handle_datagram(datagram, from, now);
  drain(now);
}

void Client::handle_timeout(dtls::Instant now) {
  session_.handle_timeout(now);
  drain(now);
  if (!reports_ || !session_.end().empty()) return;
  send_due_report(now);
  on_timeout(now);
}

std::optional<dtls::Instant> Client::next_timeout() const {
  if (!session_.end().empty()) return std::nullopt;
  auto next = session_.next_timeout();
  if (!reports_) return next;
  next = common::earlier(next, dtls::Instant(reports_->next_timeout().time_since_epoch()));
  return common::earlier(next, media_timeout());
}

void Client::drain(dtls::Instant now) {
  if (!reports_ && session_.connected_at()) {
    reports_.emplace(rtp::ReportTimerOptions{}, media_time(now), common::random_u32());
    on_connected(now);
  }
  while (const auto media = session_.poll_media()) {
    if (media->kind == transport::MediaKind::rtp) {
      on_rtp(media->packet, now);
      continue;
    }
    if (reports_) reports_->on_compound(media->packet.size());
    rtp::CompoundReader reader(media->packet);
    while (const auto packet = reader.next()) {
      if (*packet) on_rtcp(**packet, now);
    }
  }
}

void Client::send_due_report(dtls::Instant now) {
  if (reports_->next_timeout() > media_time(now)) return;
  const auto due = reports_->handle_timeout(media_time(now), common::random_u32());
  if (due != rtp::ReportDue::regular) return;
  send_rtcp([&](rtp::CompoundWriter& writer) {
    write_report(writer, now);
    reports_->on_compound(writer.compound().size());
  });
}

void Client::add_cname(rtp::CompoundWriter& writer, rtp::Ssrc ssrc) {
  constexpr std::string_view kCname = "sluice-load";
  const rtp::SdesItem item{.source = ssrc, .type = rtp::SdesType::cname, .text = kCname};
  (void)writer.add(rtp::SourceDescription{std::span(&item, 1)});
}

}  // namespace sluice::interop::load
