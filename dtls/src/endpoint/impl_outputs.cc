// The outputs of an endpoint.
#include <algorithm>
#include <utility>

#include "connection/earliest.h"
#include "endpoint/impl.h"

namespace sluice::dtls {
namespace {

// By Ended, by PeerMoved.
bool is_told_otherwise(const Event& event) {
  return std::holds_alternative<Closed>(event) || std::holds_alternative<PathChanged>(event);
}

}  // namespace

std::optional<EndpointData> Endpoint::Impl::poll_data() {
  for (;;) {
    if (data_ == kNoSlot && opened_.empty()) return std::nullopt;
    const SlotNumber number = data_ != kNoSlot ? data_ : opened_.back();
    if (auto data = slots_[number].connection->poll_data()) {
      return EndpointData{slots_.handle_of(number), *data};
    }
    if (number != data_) {
      opened_.pop_back();
      if (slots_[number].is_alive()) set_timer(number);
    }
    data_ = kNoSlot;
  }
}

std::optional<EndpointEvent> Endpoint::Impl::poll_event() {
  while (!events_.empty()) {
    const SlotNumber number = events_.first();
    Slot& slot = slots_[number];
    const ConnectionHandle handle = slots_.handle_of(number);
    if (auto tag = restored_.extract(number)) {
      return EndpointEvent{handle, SessionRestored{std::move(tag.mapped())}};
    }
    if (auto moved = take_move(number)) return EndpointEvent{handle, *moved};
    auto event = slot.connection ? slot.connection->poll_event() : std::nullopt;
    if (event && is_told_otherwise(*event)) continue;
    if (event) {
      return std::visit(
          [&](auto&& what) { return EndpointEvent{handle, std::forward<decltype(what)>(what)}; },
          *std::move(event));
    }
    events_.erase(slots_, number);
    if (!slot.end) {
      set_timer(number);
      continue;
    }
    auto last = last_event(number);
    slot.end_reported = true;
    release_if_done(number);
    return last;
  }
  if (auto wanted = wanted_.poll()) return EndpointEvent{kNoConnection, *std::move(wanted)};
  return std::nullopt;
}

EndpointEvent Endpoint::Impl::last_event(SlotNumber number) {
  const Slot& slot = slots_[number];
  const ConnectionHandle handle = slots_.handle_of(number);
  auto report = end_reports_.extract(number);
  if (auto aged = aged_.extract(number)) {
    return EndpointEvent{handle, SessionAged{std::move(aged.mapped()), path_of(slot)}};
  }
  Ended ended{*slot.end, path_of(slot)};
  if (report) {
    ended.error = std::move(report.mapped().error);
    ended.info = std::move(report.mapped().info);
    ended.statistics = report.mapped().statistics;
  }
  ++statistics_.ended[static_cast<std::size_t>(ended.reason)];
  return EndpointEvent{handle, std::move(ended)};
}

std::optional<PeerMoved> Endpoint::Impl::take_move(SlotNumber number) {
  const auto from = moved_from_.extract(number);
  const UdpPath present = path_of(slots_[number]);
  // It may be back already.
  if (!from || from.mapped() == present) return std::nullopt;
  return PeerMoved{from.mapped(), present};
}

std::optional<EndpointTransmit> Endpoint::Impl::poll_transmit(MutableBytes out) {
  if (const auto reply = std::exchange(reply_, std::nullopt)) {
    const std::size_t size = std::min(reply->datagram.size(), out.size());
    std::ranges::copy(reply->datagram.first(size), out.begin());
    return EndpointTransmit{size, reply->path, std::nullopt};
  }
  while (!transmits_.empty()) {
    const SlotNumber number = transmits_.first();
    Slot& slot = slots_[number];
    if (const auto sent = slot.connection->poll_transmit(out)) {
      const EndpointTransmit transmit{sent->size, path_of(number, sent->path),
                                      slots_.handle_of(number)};
      if (!slot.is_connected && !slot.end && slot.connection->connected()) on_opened(number);
      return transmit;
    }
    if (slot.end) {
      stop_transmitting(number);
    } else {
      transmits_.erase(slots_, number);
      set_timer(number);
      drop_other_paths(number);
    }
  }
  return std::nullopt;
}

void Endpoint::Impl::on_opened(SlotNumber number) {
  events_.push(slots_, number);
  opened_.push_back(number);
  is_opened_late_ = true;
  set_timer(number);
  on_connected(number);
}

std::optional<Instant> Endpoint::Impl::next_timeout() const {
  // What has waited for its session is due at once.
  const auto released = wanted_.has_released() ? std::optional(now_) : std::nullopt;
  const auto next = connection::earliest(
      {timers_.next(), idle_deadline(), ageing_deadline(), wanted_.deadline(), released});
  return next ? std::optional(std::max(*next, now_)) : std::nullopt;
}

void Endpoint::Impl::stop_transmitting(SlotNumber number) {
  transmits_.erase(slots_, number);
  if (data_ == number) data_ = kNoSlot;
  std::erase(opened_, number);
  if (std::ranges::find(pinned_, number) != pinned_.end()) return;  // unpin() goes on
  slots_[number].connection.reset();
  release_if_done(number);
}

void Endpoint::Impl::release_if_done(SlotNumber number) {
  const Slot& slot = slots_[number];
  if (!slot.end_reported || slot.connection) return;
  other_paths_.drop_all(number);
  release_slot(number);
}

}  // namespace sluice::dtls
