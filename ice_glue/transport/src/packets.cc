// What becomes of single packets: sorted, taken by the association they belong to, or kept for
// later.
#include <algorithm>
#include <utility>

#include "media_transport_impl.h"

namespace sluice::transport {
namespace {

srtp::PacketResult unprotect(srtp::Session& session, MediaKind kind, MutableBytes packet) {
  return kind == MediaKind::rtp ? session.unprotect_rtp(packet) : session.unprotect_rtcp(packet);
}

}  // namespace

// ---- from the network

dtls::Result<TransportPending> MediaTransport::Impl::handle_datagram(MutableBytes datagram,
                                                                     PathId path, Instant now) {
  const auto* ended = begin_input();
  const auto packet_class = classify(datagram);
  ++statistics_.received[static_cast<std::size_t>(packet_class)];
  if (packet_class != PacketClass::dtls && packet_class != PacketClass::rtp) {
    drop(Drop::foreign_protocol);
    return ended != nullptr ? after_end(*ended) : end_input({}, now);
  }
  if (ended != nullptr) {
    drop(Drop::ended);
    return after_end(*ended);
  }
  const auto generation = paths_.generation_of(path);
  if (!generation) {
    drop(Drop::unvalidated_path);
    return end_input({}, now);
  }
  if (generation != generation_ && !serves(*generation, packet_class)) {
    drop(Drop::outdated_path);
    return end_input({}, now);
  }
  if (packet_class == PacketClass::rtp) {
    on_media(datagram, *generation, now);
    return end_input({}, now);
  }
  if (generation == generation_) return end_input(on_dtls(datagram, path, now), now);
  on_old_dtls(datagram, path, now);
  return end_input({}, now);
}

// Whether the previous association takes this from a path of before the restart.
bool MediaTransport::Impl::serves(Generation generation, PacketClass packet_class) const {
  if (!previous_) return false;
  // Of several restarts, one after the other, it is the first's; the others came to nothing.
  return packet_class == PacketClass::rtp || previous_->association().generation() == generation;
}

dtls::Result<void> MediaTransport::Impl::on_dtls(MutableBytes datagram, PathId path, Instant now) {
  if (!current_) {
    if (role_ != dtls::Role::server) {
      drop(Drop::not_started);
      return {};
    }
    const auto answer_to = selected_for_current().value_or(path);
    if (auto begun = begin(dtls::Role::server, answer_to, now); !begun) return begun;
  }
  return after_connection(current_->connection().handle_datagram(datagram, path, now), now);
}

void MediaTransport::Impl::on_old_dtls(MutableBytes datagram, PathId path, Instant now) {
  auto& connection = previous_->association().connection();
  const auto result = connection.handle_datagram(datagram, path, now);
  // Its end is no loss: the new association is under way, and the keys serve on.
  while (connection.poll_event()) continue;
  pending_.transmit |= !result || result->transmit;
  pending_.data |= result && result->data;
  data_valid_ |= result && result->data;
}

// ---- media

void MediaTransport::Impl::on_media(MutableBytes datagram, Generation generation, Instant now) {
  const auto kind = srtp::is_rtcp(datagram) ? MediaKind::rtcp : MediaKind::rtp;
  if (generation != generation_) {
    if (const auto result = unprotect_with_old_keys(kind, datagram)) {
      settle(kind, datagram, *result);
    } else {
      drop(Drop::not_negotiated);
    }
  } else if (!current_connected()) {
    on_early_media(kind, datagram);
  } else if (previous_) {
    on_media_in_overlap(kind, datagram, now);
  } else {
    on_settled_media(kind, datagram);
  }
}

void MediaTransport::Impl::on_early_media(MediaKind kind, MutableBytes datagram) {
  const bool spared = copy_to_spare(datagram);
  if (const auto result = unprotect_with_old_keys(kind, datagram)) {
    const bool may_be_of_new_keys =
        !*result && (result->error() == srtp::PacketError::authentication_failed ||
                     result->error() == srtp::PacketError::too_many_ssrcs);
    if (!may_be_of_new_keys || !spared) return settle(kind, datagram, *result);
    copy_back(datagram);
  }
  if (const auto dropped = early_.keep(kind, datagram)) drop(*dropped);
}

void MediaTransport::Impl::on_media_in_overlap(MediaKind kind, MutableBytes datagram, Instant now) {
  const bool spared = copy_to_spare(datagram);
  auto* session = current_->session(options_.srtp);
  std::optional<srtp::PacketResult> result;
  if (session != nullptr) {
    result = unprotect(*session, kind, datagram);
    if (*result) on_new_keys_used(now);
  }
  // The replay check comes before authentication, so that its answer doesn't tell whose packet it
  // is.
  const bool may_be_of_old_keys = !result || (!*result && spared);
  if (may_be_of_old_keys) {
    if (result) copy_back(datagram);
    const auto old_result = unprotect_with_old_keys(kind, datagram);
    if (old_result && (*old_result || !result)) result = old_result;
  }
  if (result) {
    settle(kind, datagram, *result);
  } else {
    drop(Drop::not_negotiated);
  }
}

void MediaTransport::Impl::on_settled_media(MediaKind kind, MutableBytes datagram) {
  if (auto* session = current_->session(options_.srtp)) {
    settle(kind, datagram, unprotect(*session, kind, datagram));
  } else {
    drop(Drop::not_negotiated);
  }
}

std::optional<srtp::PacketResult> MediaTransport::Impl::unprotect_with_old_keys(
    MediaKind kind, MutableBytes datagram) {
  auto* session = previous_ ? previous_->association().session(options_.srtp) : nullptr;
  if (session == nullptr) return std::nullopt;
  const auto result = unprotect(*session, kind, datagram);
  if (result) ++statistics_.old_key_packets;
  return result;
}

bool MediaTransport::Impl::copy_to_spare(Bytes datagram) {
  if (datagram.size() > spare_.size()) return false;
  std::ranges::copy(datagram, spare_.begin());
  return true;
}

void MediaTransport::Impl::copy_back(MutableBytes datagram) const {
  std::copy_n(spare_.begin(), datagram.size(), datagram.begin());
}

void MediaTransport::Impl::settle(MediaKind kind, MutableBytes datagram,
                                  srtp::PacketResult result) {
  if (!result) {
    ++statistics_.media_refused[static_cast<std::size_t>(result.error())];
    return;
  }
  ++(kind == MediaKind::rtp ? statistics_.rtp_received : statistics_.rtcp_received);
  media_ = MediaPacket{kind, datagram.first(*result)};
}

std::optional<MediaPacket> MediaTransport::Impl::poll_media() {
  // Oldest first: early packets have waited for the input that made them readable.
  if (!early_.empty() && current_connected()) {
    auto* session = current_->session(options_.srtp);
    auto newest = std::exchange(media_, std::nullopt);
    while (!media_ && (delivered_early_ = early_.take())) {
      auto& [kind, bytes] = *delivered_early_;
      if (session != nullptr) {
        settle(kind, bytes, unprotect(*session, kind, bytes));
      } else {
        drop(Drop::not_negotiated);
      }
    }
    if (media_) return std::exchange(media_, newest);
    media_ = newest;
  }
  return std::exchange(media_, std::nullopt);
}

// ---- from the user

srtp::PacketResult MediaTransport::Impl::protect(MediaKind kind, MutableBytes buffer,
                                                 std::size_t size) {
  auto* association = sender();
  auto* session = association != nullptr ? association->session(options_.srtp) : nullptr;
  srtp::PacketResult result = tl::unexpected(srtp::PacketError::no_key);
  if (session != nullptr) {
    result = kind == MediaKind::rtp ? session->protect_rtp(buffer, size)
                                    : session->protect_rtcp(buffer, size);
  }
  if (result) {
    ++(kind == MediaKind::rtp ? statistics_.rtp_sent : statistics_.rtcp_sent);
  } else {
    ++statistics_.media_send_refused[static_cast<std::size_t>(result.error())];
  }
  return result;
}

dtls::SendResult MediaTransport::Impl::seal_data(Bytes application_data, MutableBytes out) {
  auto* association = sender();
  if (association == nullptr) return tl::unexpected(dtls::SendError::not_connected);
  return association->connection().seal(application_data, out);
}

}  // namespace sluice::transport
