#include "support/channel_pair.h"

#include <algorithm>
#include <utility>

#include "support/usrsctp_clock.h"

namespace sluice::test {

using namespace data_channel;

void ChannelEnd::take_events() {
  if (!association || !reads) return;
  while (auto event = association->poll_event()) {
    if (std::holds_alternative<Established>(*event)) {
      established = true;
    } else if (auto* channel = std::get_if<ChannelOpened>(&*event)) {
      opened.push_back(std::move(*channel));
    } else if (const auto* known = std::get_if<ChannelAcknowledged>(&*event)) {
      acknowledged.push_back(known->id);
    } else if (const auto* gone = std::get_if<ChannelClosed>(&*event)) {
      closed_channels.push_back(gone->id);
    } else if (const auto* drained = std::get_if<BufferedAmountLow>(&*event)) {
      low.push_back(drained->id);
    } else if (const auto* message = std::get_if<MessageReceived>(&*event)) {
      messages.push_back({.id = message->id,
                          .type = message->type,
                          .data = {message->data.begin(), message->data.end()}});
    } else if (const auto* end = std::get_if<Closed>(&*event)) {
      closed = end->reason;
    }
  }
}

ChannelPair::ChannelPair(const LinkConditions& conditions, std::uint64_t seed,
                         Options client_options, Options server_options)
    : conditions_(conditions), random_(seed) {
  set_usrsctp_time(now_);
  client_options.role = dtls::Role::client;
  server_options.role = dtls::Role::server;
  ends[0].association = Association::make(client_options, now_).value();
  ends[1].association = Association::make(server_options, now_).value();
}

void ChannelPair::put_on_its_way(std::size_t sender, dtls::Bytes packet) {
  ends[sender].largest_packet = std::max(ends[sender].largest_packet, packet.size());
  ++ends[sender].packets;
  if (drop && drop(sender, packet)) return;
  if (happens(conditions_.loss)) return;
  for (int copies = happens(conditions_.duplicate) ? 2 : 1; copies > 0; --copies) {
    const dtls::Duration jitter{
        std::uniform_int_distribution<std::int64_t>(0, conditions_.jitter.count())(random_)};
    in_flight_.emplace(now_ + conditions_.delay + jitter,
                       InFlight{.receiver = 1 - sender, .packet = {packet.begin(), packet.end()}});
  }
}

void ChannelPair::take_outputs(std::size_t end) {
  if (!ends[end].association) return;
  ends[end].take_events();
  while (const auto packet = ends[end].association->poll_transmit()) {
    put_on_its_way(end, *packet);
  }
}

void ChannelPair::move_to(dtls::Instant time) {
  now_ = std::max(now_, time);
  set_usrsctp_time(now_);
}

bool ChannelPair::step(dtls::Instant limit) {
  for (const std::size_t end : {0U, 1U}) take_outputs(end);
  std::optional<dtls::Instant> next;
  if (!in_flight_.empty()) next = in_flight_.begin()->first;
  for (const auto& end : ends) {
    // An end that does not read has its events waiting for ever.
    if (!end.association) continue;
    const auto due = end.association->next_timeout();
    if (due && (!next || *due < *next))
      next = end.reads ? *due : std::max(*due, now_ + std::chrono::milliseconds{10});
  }
  if (!next || *next > limit) return false;
  move_to(*next);
  while (!in_flight_.empty() && in_flight_.begin()->first <= now_) {
    auto arrived = in_flight_.extract(in_flight_.begin()).mapped();
    if (ends[arrived.receiver].association) {
      ends[arrived.receiver].association->handle_packet(arrived.packet, now_);
      take_outputs(arrived.receiver);
    }
  }
  for (const std::size_t end : {0U, 1U}) {
    if (ends[end].association) ends[end].association->handle_timeout(now_);
  }
  return true;
}

bool ChannelPair::run_until(const std::function<bool()>& done, dtls::Duration limit) {
  const dtls::Instant end = now_ + limit;
  for (const std::size_t end_index : {0U, 1U}) take_outputs(end_index);
  while (!done()) {
    if (!step(end)) return done();
  }
  return true;
}

void ChannelPair::run_for(dtls::Duration duration) {
  const dtls::Instant end = now_ + duration;
  run_until([] { return false; }, duration);
  move_to(end);
}

bool ChannelPair::establish() {
  return run_until([this] { return ends[0].established && ends[1].established; });
}

}  // namespace sluice::test
