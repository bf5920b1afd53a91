// The outputs of an endpoint.
#include <algorithm>

#include "endpoint/impl.h"

namespace sluice::dtls {

std::optional<EndpointData> Endpoint::Impl::poll_data() {
  if (data_ == kNoSlot) return std::nullopt;
  if (auto data = slots_[data_].connection->poll_data()) {
    return EndpointData{slots_.handle_of(data_), *data};
  }
  data_ = kNoSlot;
  return std::nullopt;
}

std::optional<EndpointEvent> Endpoint::Impl::poll_event() {
  while (!events_.empty()) {
    const SlotNumber number = events_.first();
    Slot& slot = slots_[number];
    const ConnectionHandle handle = slots_.handle_of(number);
    auto event = slot.connection ? slot.connection->poll_event() : std::nullopt;
    if (event && std::holds_alternative<Closed>(*event)) continue;  // reported by Ended
    if (event) {
      return std::visit(
          [&](auto&& what) { return EndpointEvent{handle, std::forward<decltype(what)>(what)}; },
          *std::move(event));
    }
    events_.erase(slots_, number);
    if (!slot.end) continue;
    Ended ended{*slot.end, slot.path};
    if (const auto error = errors_.extract(number)) ended.error = error.mapped();
    ++statistics_.ended[static_cast<std::size_t>(ended.reason)];
    slot.end_reported = true;
    release_if_done(number);
    return EndpointEvent{handle, std::move(ended)};
  }
  return std::nullopt;
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
      return EndpointTransmit{sent->size, path_of(number, sent->path), slots_.handle_of(number)};
    }
    if (slot.end) {
      stop_transmitting(number);
    } else {
      transmits_.erase(slots_, number);
      set_timer(number);
    }
  }
  return std::nullopt;
}

void Endpoint::Impl::stop_transmitting(SlotNumber number) {
  transmits_.erase(slots_, number);
  if (data_ == number) data_ = kNoSlot;
  if (std::ranges::find(pinned_, number) != pinned_.end()) return;  // unpin() goes on
  slots_[number].connection.reset();
  release_if_done(number);
}

void Endpoint::Impl::release_if_done(SlotNumber number) {
  const Slot& slot = slots_[number];
  if (!slot.end_reported || slot.connection) return;
  other_paths_.remove(number);
  slots_.release(number);
}

}  // namespace sluice::dtls
