// Outputs: what is sent, what was received, and events.
#include <algorithm>
#include <utility>
#include <variant>

#include "impl.h"

namespace sluice::ice_lite {

// ---- sending

tl::expected<Transmit, srtp::PacketError> IceLiteServer::Impl::protect(transport::MediaKind kind,
                                                                       SessionHandle handle,
                                                                       MutableBytes buffer,
                                                                       std::size_t size) {
  const SlotNumber number = sessions_.find(handle);
  if (number == kNoSlot) return tl::unexpected(srtp::PacketError::no_key);
  auto& transport = *sessions_[number].transport;
  const auto path = path_of(transport);
  if (!path) return tl::unexpected(srtp::PacketError::no_key);
  const auto result = kind == transport::MediaKind::rtp ? transport.protect_rtp(buffer, size)
                                                        : transport.protect_rtcp(buffer, size);
  if (!result) return tl::unexpected(result.error());
  return Transmit{.size = *result, .path = *path};
}

tl::expected<Transmit, dtls::SendError> IceLiteServer::Impl::seal_data(SessionHandle handle,
                                                                       Bytes application_data,
                                                                       MutableBytes out) {
  const SlotNumber number = sessions_.find(handle);
  if (number == kNoSlot) return tl::unexpected(dtls::SendError::not_connected);
  auto& transport = *sessions_[number].transport;
  const auto path = path_of(transport);
  if (!path) return tl::unexpected(dtls::SendError::not_connected);
  const auto result = transport.seal_data(application_data, out);
  if (!result) return tl::unexpected(result.error());
  if (result->timer) set_timer(number);
  return Transmit{.size = result->size, .path = *path};
}

// ---- outputs

std::optional<Transmit> IceLiteServer::Impl::poll_transmit(MutableBytes out) {
  if (!responses_.empty() && out.size() >= responses_.front().size) {
    const Response& response = responses_.front();
    std::ranges::copy(response.message(), out.begin());
    const Transmit transmit{.size = response.size, .path = response.path};
    responses_.pop();
    return transmit;
  }
  for (;;) {
    const SlotNumber number = first(Output::transmit);
    if (number == kNoSlot) return std::nullopt;
    Session& session = sessions_[number];
    if (const auto sent = poll_handshake(session, out)) return sent;
    const bool was_connected = session.transport->connected();
    if (const auto sent = session.transport->poll_transmit(out)) {
      if (!was_connected && session.transport->connected()) queue_what_waited(number);
      const SlotNumber tuple = tuples_.find(sent->path);
      if (tuple == kNoSlot) continue;
      return Transmit{.size = sent->size, .path = tuples_.path_of(tuple)};
    }
    pop(Output::transmit);
    if (!session.has_ended) set_timer(number);
    release_if_done(number);
  }
}

std::optional<Data> IceLiteServer::Impl::poll_data() {
  for (;;) {
    const SlotNumber number = first(Output::data);
    if (number == kNoSlot) return std::nullopt;
    if (const auto bytes = sessions_[number].transport->poll_data()) {
      return Data{.session = sessions_.handle_of(number), .bytes = *bytes};
    }
    pop(Output::data);
    release_if_done(number);
  }
}

std::optional<Media> IceLiteServer::Impl::poll_media() {
  if (!media_.empty()) {
    const Media media = media_.front();
    media_.pop();
    return media;
  }
  for (;;) {
    const SlotNumber number = first(Output::media);
    if (number == kNoSlot) return std::nullopt;
    if (const auto media = sessions_[number].transport->poll_media()) {
      return Media{
          .session = sessions_.handle_of(number), .kind = media->kind, .packet = media->packet};
    }
    pop(Output::media);
    release_if_done(number);
  }
}

std::optional<Event> IceLiteServer::Impl::poll_event() {
  for (;;) {
    const SlotNumber number = first(Output::event);
    if (number == kNoSlot) return std::nullopt;
    if (auto event = next_event(number)) return event;
    pop(Output::event);
    if (!sessions_[number].has_ended) set_timer(number);
    release_if_done(number);
  }
}

std::optional<Event> IceLiteServer::Impl::next_event(SlotNumber number) {
  Session& session = sessions_[number];
  const SessionHandle handle = sessions_.handle_of(number);
  while (auto event = session.transport->poll_event()) {
    if (auto* connected = std::get_if<Connected>(&*event)) {
      return Event{handle, std::move(*connected)};
    }
    if (const auto* limit = std::get_if<SsrcLimit>(&*event)) return Event{handle, *limit};
    // TransportClosed is told as Ended.
    if (std::holds_alternative<transport::TransportClosed>(*event)) {
      end(number, EndReason::closed_by_peer);
    }
  }
  if (session.untold && session.untold->taken) {
    return Event{handle, *std::exchange(session.untold->taken, {})};
  }
  if (session.untold && session.untold->expired) {
    return Event{handle, *std::exchange(session.untold->expired, {})};
  }
  if (std::exchange(session.is_selection_untold, false) && session.selected != kNoSlot) {
    return Event{handle,
                 PathSelected{.path = tuples_.path_of(session.selected),
                              .ends_restart = std::exchange(session.has_ended_restart, false)}};
  }
  if (session.untold && session.untold->ended) {
    auto ended = *std::exchange(session.untold->ended, {});
    return Event{handle, std::move(ended)};
  }
  session.untold.reset();
  return std::nullopt;
}

// ---- state

const transport::MediaTransport* IceLiteServer::Impl::find(SessionHandle session) const {
  const SlotNumber number = sessions_.find(session);
  return number != kNoSlot ? &*sessions_[number].transport : nullptr;
}

srtp::Session* IceLiteServer::Impl::srtp_session(SessionHandle session) {
  const SlotNumber number = sessions_.find(session);
  return number != kNoSlot ? sessions_[number].transport->srtp_session() : nullptr;
}

std::optional<SessionHandle> IceLiteServer::Impl::find(const dtls::UdpPath& path) const {
  const SlotNumber tuple = tuples_.find(TupleTable::hash_of(keyed_, path), path);
  if (tuple == kNoSlot || sessions_[tuples_[tuple].session].has_ended) return std::nullopt;
  return sessions_.handle_of(tuples_[tuple].session);
}

std::optional<dtls::UdpPath> IceLiteServer::Impl::path_of(SessionHandle session) const {
  const SlotNumber number = sessions_.find(session);
  return number != kNoSlot ? path_of(*sessions_[number].transport) : std::nullopt;
}

}  // namespace sluice::ice_lite
