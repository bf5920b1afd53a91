#include "sfu/workers/steering.h"

#include <utility>

#include <sluice/stun/message.h>
#include <sluice/transport/classify.h>

namespace sluice::interop::sfu {
namespace {

// RFC 8445 section 7.2.2: "<ufrag of its receiver>:<ufrag of its sender>". Empty: it is no check.
std::string_view ufrag_of(dtls::Bytes datagram) {
  const auto message = stun::decode(datagram);
  if (!message || !message->username) return {};
  const std::string_view username(reinterpret_cast<const char*>(message->username->data()),
                                  message->username->size());
  return username.substr(0, username.find(':'));
}

}  // namespace

Steering::Steering(const Directory& directory, Exchange& exchange, std::size_t max_paths)
    : directory_(&directory),
      exchange_(&exchange),
      paths_(max_paths),
      has_pushed_(exchange.workers()) {}

std::optional<std::size_t> Steering::owner_of(const dtls::ReceivedDatagram& datagram,
                                              dtls::Instant now) {
  const bool is_stun = transport::classify(datagram.bytes) == transport::PacketClass::stun;
  if (is_stun) {
    if (const auto worker = directory_->worker_of_ufrag(ufrag_of(datagram.bytes))) {
      paths_.note_check(datagram.path, *worker, now);
      return worker;
    }
  }
  const auto worker = paths_.worker_of(datagram.path);
  return worker || !is_stun ? worker : std::optional<std::size_t>(0);
}

void Steering::handle_datagram(dtls::MutableBytes datagram, const dtls::UdpPath& path,
                               dtls::Instant now) {
  const dtls::ReceivedDatagram one{.bytes = datagram, .path = path};
  static_cast<void>(handle_datagrams({&one, 1}, now));
}

ice_lite::BatchPending Steering::handle_datagrams(std::span<const dtls::ReceivedDatagram> datagrams,
                                                  dtls::Instant now) {
  for (const dtls::ReceivedDatagram& each : datagrams) {
    const auto worker = owner_of(each, now);
    if (!worker) {
      exchange_->count_unknown();
      continue;
    }
    push(*worker, {.path = each.path, .is_certain = paths_.is_certain(each.path, *worker)},
         each.bytes);
  }
  return {.taken = datagrams.size(), .pending = {}};
}

void Steering::path_closed(const dtls::UdpPath& path, dtls::Instant /*now*/) {
  const auto worker = paths_.worker_of(path);
  if (!worker) return;
  paths_.forget(path, *worker);
  if (!push(*worker, {.path = path, .kind = PortHeader::Kind::closed}, {})) {
    untold_.emplace_back(*worker, path);
  }
}

std::optional<std::size_t> Steering::find(const dtls::UdpPath& path) const {
  const auto worker = paths_.worker_of(path);
  return worker && paths_.is_certain(path, *worker) ? worker : std::nullopt;
}

void Steering::take(std::size_t worker, const PortHeader& header, dtls::Instant now) {
  if (header.kind == PortHeader::Kind::claim) {
    static_cast<void>(paths_.claim(header.path, worker, now));
  } else if (header.kind == PortHeader::Kind::forget) {
    paths_.forget(header.path, worker);
  }
}

void Steering::flush() {
  while (!untold_.empty()) {
    const auto& [worker, path] = untold_.back();
    if (!push(worker, {.path = path, .kind = PortHeader::Kind::closed}, {})) break;
    untold_.pop_back();
  }
  for (std::size_t worker = 0; worker < has_pushed_.size(); ++worker) {
    if (has_pushed_[worker]) exchange_->wake_up(worker).notify();
    has_pushed_[worker] = false;
  }
}

bool Steering::push(std::size_t worker, const PortHeader& header, dtls::Bytes bytes) {
  has_pushed_[worker] = true;
  return exchange_->to_worker(worker).push(header, bytes);
}

}  // namespace sluice::interop::sfu
