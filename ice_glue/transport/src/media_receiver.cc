#include "media_receiver.h"

#include <algorithm>
#include <utility>

namespace sluice::transport {
namespace {

// Above the MTU of any path but loopback's.
constexpr std::size_t kCopySize = 2048;

srtp::PacketResult unprotect(srtp::Session& session, MediaKind kind, MutableBytes packet) {
  return kind == MediaKind::rtp ? session.unprotect_rtp(packet) : session.unprotect_rtcp(packet);
}

}  // namespace

void MediaReceiver::receive(MutableBytes datagram, Generation generation,
                            Associations& associations, Instant now) {
  const auto kind = srtp::is_rtcp(datagram) ? MediaKind::rtcp : MediaKind::rtp;
  if (!associations.is_newest(generation)) {
    settle_if_any(kind, datagram, unprotect_with_old_keys(kind, datagram, associations));
  } else if (!associations.newest_connected()) {
    receive_early(kind, datagram, associations);
  } else if (associations.previous() != nullptr) {
    receive_in_overlap(kind, datagram, associations, now);
  } else {
    unprotect_with_new_keys(kind, datagram, associations);
  }
}

void MediaReceiver::unprotect_with_new_keys(MediaKind kind, MutableBytes datagram,
                                            Associations& associations) {
  auto* const session = associations.newest()->session(options_.srtp);
  if (session == nullptr) return drop(Drop::not_negotiated);
  settle(kind, datagram, unprotect(*session, kind, datagram));
}

void MediaReceiver::receive_early(MediaKind kind, MutableBytes datagram,
                                  Associations& associations) {
  const bool copied = keep_copy(datagram);
  if (const auto result = unprotect_with_old_keys(kind, datagram, associations)) {
    // Any error counts, as in receive_in_overlap(): the packet may have the new keys.
    if (*result || !copied) return settle(kind, datagram, *result);
    restore(datagram);
  }
  if (const auto dropped = early_.keep(kind, datagram)) drop(*dropped);
}

void MediaReceiver::receive_in_overlap(MediaKind kind, MutableBytes datagram,
                                       Associations& associations, Instant now) {
  const bool copied = keep_copy(datagram);
  auto* const session = associations.newest()->session(options_.srtp);
  std::optional<srtp::PacketResult> result;
  if (session != nullptr) result = unprotect(*session, kind, datagram);
  if (result && *result) associations.previous()->on_newest_used(now);
  // Any error counts, also replayed: libsrtp checks for replays before it authenticates, so the
  // packet may have been protected with the old keys.
  const bool may_be_of_old_keys = !result || (!*result && copied);
  if (may_be_of_old_keys) {
    if (result) restore(datagram);
    const auto old_result = unprotect_with_old_keys(kind, datagram, associations);
    if (old_result && (*old_result || !result)) result = old_result;
  }
  settle_if_any(kind, datagram, result);
}

std::optional<srtp::PacketResult> MediaReceiver::unprotect_with_old_keys(
    MediaKind kind, MutableBytes datagram, Associations& associations) {
  auto* previous = associations.previous();
  if (previous == nullptr) return std::nullopt;
  auto* const session = previous->association().session(options_.srtp);
  if (session == nullptr) return std::nullopt;
  const auto result = unprotect(*session, kind, datagram);
  if (result) ++statistics_.old_key_packets;
  return result;
}

void MediaReceiver::begin_overlap() {
  copy_.resize(std::max(options_.max_early_packet_size, kCopySize));
}

bool MediaReceiver::keep_copy(Bytes datagram) {
  if (datagram.size() > copy_.size()) return false;
  std::ranges::copy(datagram, copy_.begin());
  return true;
}

void MediaReceiver::restore(MutableBytes datagram) const {
  std::copy_n(copy_.begin(), datagram.size(), datagram.begin());
}

void MediaReceiver::count_refused(srtp::PacketError error) {
  ++statistics_.media_refused[static_cast<std::size_t>(error)];
}

void MediaReceiver::settle_if_any(MediaKind kind, MutableBytes datagram,
                                  const std::optional<srtp::PacketResult>& result) {
  if (!result) return drop(Drop::not_negotiated);
  settle(kind, datagram, *result);
}

std::optional<MediaPacket> MediaReceiver::poll_early(Associations& associations) {
  auto newest = take_packet();
  if (!associations.newest_connected()) return newest;
  while (packet_.packet.empty() && !early_.empty()) {
    auto& [kind, bytes] = delivered_early_.emplace_back(*early_.take());
    unprotect_with_new_keys(kind, bytes, associations);
  }
  auto oldest = take_packet();
  if (!oldest) return newest;
  if (newest) packet_ = *newest;
  return oldest;
}

}  // namespace sluice::transport
