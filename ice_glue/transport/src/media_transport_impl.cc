// When the associations of a transport begin, follow each other and end, and how inputs reach them.
#include "media_transport_impl.h"

#include <algorithm>
#include <string_view>
#include <utility>
#include <variant>

namespace sluice::transport {
namespace {

dtls::Error refusal(dtls::Errc code, std::string_view detail) {
  return dtls::Error{.code = code, .detail = detail};
}

}  // namespace

MediaTransport::Impl::Impl(MediaTransportOptions options, dtls::Environment& environment)
    : options_(std::move(options)),
      environment_(&environment),
      associations_(options_.max_paths),
      receiver_(options_, statistics_) {}

// ---- every input

const MediaTransport::Impl::Ended* MediaTransport::Impl::begin_input(Instant now) {
  receiver_.forget_packet();
  data_valid_ = false;
  return begin_report(now);
}

const MediaTransport::Impl::Ended* MediaTransport::Impl::begin_report(Instant now) {
  latest_ = std::max(latest_, now);
  pending_ = {.timer = std::exchange(connected_late_, false)};
  if (const auto* previous = associations_.previous(); previous != nullptr && previous->leaving()) {
    drop_previous();
  }
  return ended_.get();
}

dtls::Result<TransportPending> MediaTransport::Impl::end_input(dtls::Result<void> outcome,
                                                               Instant now) {
  if (outcome && !ended_) outcome = check_session(now);
  if (!outcome) {
    dtls::Error error = outcome.error();
    error.is_fatal = true;
    end({Ended::By::failure, error}, now);
    return tl::unexpected(std::move(error));
  }
  pending_.media |= receiver_.has_packet(associations_);
  pending_.event |= !events_.empty();
  const auto timeout = next_timeout();
  pending_.timer = std::exchange(reported_timeout_, timeout) != timeout;
  return pending_;
}

// Nearly all inputs are media, which moves no timer but that of the previous association.
dtls::Result<TransportPending> MediaTransport::Impl::end_media(Instant now) {
  const auto* newest = associations_.newest();
  const bool has_news = newest != nullptr && newest->has_session_news();
  if (has_news || associations_.previous() != nullptr) return end_input({}, now);
  return TransportPending{.media = receiver_.has_packet(associations_),
                          .event = !events_.empty(),
                          .timer = pending_.timer};
}

dtls::Result<void> MediaTransport::Impl::check_session(Instant now) {
  auto* newest = associations_.newest();
  if (newest == nullptr) return {};
  while (const auto direction = newest->take_ssrc_limit()) {
    events_.emplace_back(TransportSsrcLimit{*direction});
  }
  const auto failure = newest->session_failure();
  if (!failure) return {};
  static_cast<void>(newest->connection().close(now));
  return tl::unexpected(
      refusal(dtls::Errc::libcrypto_failure, *failure == srtp::SetupError::out_of_memory
                                                 ? "srtp: no memory for a session"
                                                 : "srtp: libsrtp made no session"));
}

dtls::Result<TransportPending> MediaTransport::Impl::after_end() const {
  return TransportPending{.event = !events_.empty()};
}

void MediaTransport::Impl::end(Ended ended, Instant now) {
  ended_ = std::make_unique<const Ended>(std::move(ended));
  associations_.end(now);
  receiver_.forget_early();
  receiver_.forget_packet();
  pending_.transmit = true;
}

// ---- signalling

dtls::Result<TransportPending> MediaTransport::Impl::start(dtls::Role role, Instant now) {
  if (begin_input(now) != nullptr) {
    return tl::unexpected(refusal(dtls::Errc::closed, "start after the end"));
  }
  if (const auto* newest = associations_.newest();
      newest != nullptr && newest->connection().role() != role) {
    return tl::unexpected(refusal(dtls::Errc::invalid_argument, "role: the handshake has begun"));
  }
  role_ = role;
  return end_input(begin_client_if_possible(now), now);
}

dtls::Result<TransportPending> MediaTransport::Impl::set_peer_fingerprints(
    std::span<const dtls::Fingerprint> announced, Instant now) {
  if (begin_input(now) != nullptr) {
    return tl::unexpected(refusal(dtls::Errc::closed, "fingerprints after the end"));
  }
  if (announced.empty()) {
    return tl::unexpected(refusal(dtls::Errc::invalid_argument, "announced: empty"));
  }
  auto* newest = associations_.newest();
  if (newest == nullptr) {
    announced_.assign(announced.begin(), announced.end());
    return end_input({}, now);
  }
  const auto result = newest->connection().set_peer_fingerprints(announced, now);
  return end_input(after_connection(result, now), now);
}

dtls::Result<void> MediaTransport::Impl::set_cryptex(srtp::Cryptex mode) {
  srtp::SessionOptions changed = options_.srtp;
  changed.cryptex = mode;
  if (!srtp::valid(changed) || (mode != srtp::Cryptex::off && !srtp::has_cryptex())) {
    return tl::unexpected(refusal(dtls::Errc::invalid_argument, "cryptex: not in this libsrtp"));
  }
  options_.srtp = changed;
  auto* previous = associations_.previous();
  for (auto* each :
       {associations_.newest(), previous != nullptr ? &previous->association() : nullptr}) {
    auto* session = each != nullptr ? each->session_if_made() : nullptr;
    if (session != nullptr && !session->set_cryptex(mode)) {
      return tl::unexpected(refusal(dtls::Errc::invalid_argument, "cryptex: libsrtp refused it"));
    }
  }
  return {};
}

dtls::Result<TransportPending> MediaTransport::Impl::restart(
    dtls::Role role, std::span<const dtls::Fingerprint> announced, Instant now) {
  if (const auto* ended = begin_input(now); ended != nullptr && ended->by == Ended::By::user) {
    return tl::unexpected(refusal(dtls::Errc::closed, "restart after close()"));
  }
  if (ended_) {
    drop_previous();
  } else if (associations_.newest_connected()) {
    // The connected association goes on; one that is older still is dropped.
    associations_.newest()->session(options_.srtp);
    associations_.retire_newest(
        {.hold = options_.old_keys_hold, .linger = options_.old_keys_linger});
    receiver_.begin_overlap();
  }
  associations_.start_generation();
  ended_.reset();
  receiver_.forget_early();
  role_ = role;
  announced_.assign(announced.begin(), announced.end());
  return end_input({}, now);
}

dtls::Result<TransportPending> MediaTransport::Impl::close(Instant now) {
  if (begin_input(now) != nullptr) return after_end();
  if (auto* newest = associations_.newest()) static_cast<void>(newest->connection().close(now));
  end({Ended::By::user}, now);
  return end_input({}, now);
}

// ---- paths

dtls::Result<TransportPending> MediaTransport::Impl::path_validated(PathId path, Instant now) {
  if (begin_input(now) != nullptr) return after_end();
  if (!associations_.add_path(path)) ++statistics_.paths_refused;
  // The selected path may belong to the newest association only now.
  return end_input(begin_client_if_possible(now), now);
}

dtls::Result<TransportPending> MediaTransport::Impl::path_selected(
    PathId path, std::optional<dtls::Duration> rtt, Instant now) {
  if (begin_report(now) != nullptr) return after_end();
  if (!associations_.select(path)) {
    ++statistics_.paths_refused;
    return end_input({}, now);
  }
  rtt_ = rtt;
  if (auto* association = associations_.association_of(path)) {
    association->connection().set_path(path);
    if (rtt) association->connection().set_path_rtt(*rtt);
  }
  // What waited for a path can leave.
  pending_.transmit = true;
  return end_input(begin_client_if_possible(now), now);
}

void MediaTransport::Impl::set_path_rtt(dtls::Duration rtt) {
  rtt_ = rtt;
  const auto path = associations_.selected();
  auto* association = path ? associations_.association_of(*path) : nullptr;
  if (association != nullptr) association->connection().set_path_rtt(rtt);
}

void MediaTransport::Impl::set_path_mtu(std::size_t mtu) {
  mtu_ = mtu;
  if (auto* newest = associations_.newest()) newest->connection().set_path_mtu(mtu);
}

// ---- the newest association

TransportWaitingFor MediaTransport::Impl::waiting_for() const {
  if (ended_) return TransportWaitingFor::nothing;
  const auto* newest = associations_.newest();
  if (newest == nullptr) {
    if (!role_) return TransportWaitingFor::role;
    return role_ == dtls::Role::client ? TransportWaitingFor::path
                                       : TransportWaitingFor::client_hello;
  }
  switch (newest->connection().waiting_for()) {
    case dtls::WaitingFor::nothing:
      return TransportWaitingFor::nothing;
    case dtls::WaitingFor::client_hello:
      return TransportWaitingFor::client_hello;
    case dtls::WaitingFor::peer_acceptance:
      return TransportWaitingFor::fingerprints;
    default:  // make() refuses a Config with other questions
      return TransportWaitingFor::peer_message;
  }
}

dtls::Result<void> MediaTransport::Impl::begin_client_if_possible(Instant now) {
  const auto path = associations_.selected_for_newest();
  if (associations_.newest() != nullptr || role_ != dtls::Role::client || !path) return {};
  return begin(dtls::Role::client, *path, now);
}

dtls::Result<void> MediaTransport::Impl::begin(dtls::Role role, PathId path, Instant now) {
  auto made = role == dtls::Role::client
                  ? dtls::Connection::client(options_.dtls, *environment_, path, now)
                  : dtls::Connection::server(options_.dtls, *environment_, path, now);
  if (!made) return tl::unexpected(made.error());
  if (mtu_) made->set_path_mtu(*mtu_);
  if (rtt_ && path == associations_.selected()) made->set_path_rtt(*rtt_);
  auto& connection = associations_.begin_newest(std::move(*made)).connection();
  ++statistics_.associations;
  pending_.transmit = true;
  if (announced_.empty()) return {};
  const auto announced = std::exchange(announced_, {});
  return after_connection(connection.set_peer_fingerprints(announced, now), now);
}

dtls::Result<void> MediaTransport::Impl::after_connection(const dtls::Result<dtls::Pending>& result,
                                                          Instant now) {
  const bool had_event = take_events(now);
  if (!result) return tl::unexpected(result.error());
  // The event that is announced, and not there, comes when the last flight has been polled.
  if (result->event && !had_event) pending_.event = pending_.media = true;
  pending_.transmit |= result->transmit;
  pending_.data |= result->data;
  data_valid_ |= result->data;
  // Data is announced also while the newest association is not connected yet.
  const bool is_used = result->data && !ended_ && associations_.newest_connected();
  if (auto* previous = associations_.previous(); previous != nullptr && is_used) {
    previous->on_newest_used(now);
  }
  return {};
}

bool MediaTransport::Impl::take_events(Instant now) {
  bool any = false;
  while (const auto event = associations_.newest()->connection().poll_event()) {
    any = true;
    if (const auto* connected = std::get_if<dtls::Connected>(&*event)) {
      on_connected(connected->info, now);
    } else if (std::holds_alternative<dtls::Closed>(*event)) {
      events_.emplace_back(TransportClosed{});
      end({Ended::By::peer}, now);
    }
    // The peer's certificate waits for set_peer_fingerprints().
  }
  return any;
}

void MediaTransport::Impl::on_connected(const dtls::ConnectionInfo& info, Instant now) {
  events_.emplace_back(TransportConnected{info});
  auto* previous = associations_.previous();
  if (previous == nullptr) return;
  // The last message of a full handshake is the server's in DTLS 1.2 and the client's in 1.3
  // (RFC 5246 section 7.3, RFC 8446 section 2). The side that receives it knows that the peer has
  // finished, too.
  const auto receives_last =
      info.version == dtls::ProtocolVersion::dtls12 ? dtls::Role::client : dtls::Role::server;
  previous->on_newest_connected(info.role == receives_last, now);
}

void MediaTransport::Impl::drop_previous() {
  associations_.drop_previous();
  receiver_.end_overlap();
}

// ---- datagrams

dtls::Result<TransportPending> MediaTransport::Impl::handle_datagram(MutableBytes datagram,
                                                                     PathId path, Instant now) {
  const auto packet_class = classify(datagram);
  ++statistics_.received[static_cast<std::size_t>(packet_class)];
  auto* const session =
      packet_class == PacketClass::rtp ? associations_.only_session(path) : nullptr;
  if (session == nullptr) return handle_others(datagram, packet_class, path, now);
  // Nearly all datagrams.
  static_cast<void>(begin_input(now));
  receiver_.receive(datagram, *session);
  return end_media(now);
}

dtls::Result<TransportPending> MediaTransport::Impl::handle_others(MutableBytes datagram,
                                                                   PacketClass packet_class,
                                                                   PathId path, Instant now) {
  const auto* ended = begin_input(now);
  if (packet_class != PacketClass::dtls && packet_class != PacketClass::rtp) {
    drop(Drop::foreign_protocol);
    return ended != nullptr ? after_end() : end_input({}, now);
  }
  if (ended != nullptr) {
    drop(Drop::ended);
    return after_end();
  }
  const auto generation = associations_.generation_of(path);
  if (!generation) {
    drop(Drop::unvalidated_path);
    return end_input({}, now);
  }
  const bool is_newest = associations_.is_newest(*generation);
  if (!is_newest && !associations_.previous_takes(*generation, packet_class)) {
    drop(Drop::outdated_path);
    return end_input({}, now);
  }
  if (packet_class == PacketClass::rtp) {
    receiver_.receive(datagram, *generation, associations_, now);
    return end_media(now);
  }
  if (is_newest) return end_input(on_dtls(datagram, path, now), now);
  on_old_dtls(datagram, path, now);
  return end_input({}, now);
}

dtls::Result<void> MediaTransport::Impl::on_dtls(MutableBytes datagram, PathId path, Instant now) {
  if (associations_.newest() == nullptr) {
    if (role_ != dtls::Role::server) {
      drop(Drop::not_started);
      return {};
    }
    const auto answer_to = associations_.selected_for_newest().value_or(path);
    if (auto begun = begin(dtls::Role::server, answer_to, now); !begun) return begun;
  }
  auto& connection = associations_.newest()->connection();
  return after_connection(connection.handle_datagram(datagram, path, now), now);
}

void MediaTransport::Impl::on_old_dtls(MutableBytes datagram, PathId path, Instant now) {
  auto& connection = associations_.previous()->association().connection();
  const auto result = connection.handle_datagram(datagram, path, now);
  // If the peer ends the previous association, its SRTP keys still serve.
  while (connection.poll_event()) continue;
  pending_.transmit |= !result || result->transmit;
  pending_.data |= result && result->data;
  data_valid_ |= result && result->data;
}

// ---- time and outputs

dtls::Result<TransportPending> MediaTransport::Impl::handle_timeout(Instant now) {
  if (begin_input(now) != nullptr) return after_end();
  if (auto* previous = associations_.previous()) {
    previous->handle_timeout(now);
    pending_.transmit = previous->leaving();
  }
  auto* newest = associations_.newest();
  if (newest == nullptr) return end_input({}, now);
  return end_input(after_connection(newest->connection().handle_timeout(now), now), now);
}

std::optional<Instant> MediaTransport::Impl::next_timeout() const {
  if (ended_) return std::nullopt;
  const auto* newest = associations_.newest();
  const bool has_failed = newest != nullptr && newest->session_failure();
  const bool is_unseen =
      connected_late_ && (!events_.empty() || receiver_.has_packet(associations_) || has_failed);
  if (is_unseen) return latest_;
  const auto next = associations_.next_timeout();
  return next ? std::optional(std::max(*next, latest_)) : std::nullopt;
}

std::optional<dtls::Transmit> MediaTransport::Impl::poll_transmit(MutableBytes out,
                                                                  std::optional<PathId> only) {
  const bool was_connected = associations_.newest_connected();
  const auto sent = associations_.poll_transmit(out, only);
  if (sent && !was_connected && !ended_ && associations_.newest_connected()) {
    connected_late_ = true;
    data_valid_ = true;
    take_events(latest_);
  }
  return sent;
}

std::optional<MutableBytes> MediaTransport::Impl::poll_data() {
  return data_valid_ ? associations_.poll_data() : std::nullopt;
}

std::optional<TransportEvent> MediaTransport::Impl::poll_event() {
  if (events_.empty()) return std::nullopt;
  auto event = events_.front();
  events_.erase(events_.begin());
  // They come seldom, so their memory is not kept.
  if (events_.empty()) events_ = {};
  return event;
}

// ---- sending

srtp::Outcome MediaTransport::Impl::protect(MediaKind kind, MutableBytes buffer, std::size_t size) {
  auto* association = sender();
  if (association == nullptr) return refuse(srtp::PacketError::no_key);
  auto* session = association->session(options_.srtp);
  if (session == nullptr) {
    return refuse(association->session_failure() ? srtp::PacketError::internal
                                                 : srtp::PacketError::no_key);
  }
  const auto result = kind == MediaKind::rtp ? session->protect_rtp(buffer, size)
                                             : session->protect_rtcp(buffer, size);
  if (!result) return refuse(result.error());
  ++(kind == MediaKind::rtp ? statistics_.rtp_sent : statistics_.rtcp_sent);
  return *result;
}

srtp::Outcome MediaTransport::Impl::refuse(srtp::PacketError error) {
  ++statistics_.media_send_refused[static_cast<std::size_t>(error)];
  return error;
}

dtls::SendResult MediaTransport::Impl::seal_data(Bytes application_data, MutableBytes out) {
  auto* association = sender();
  if (association == nullptr) return tl::unexpected(dtls::SendError::not_connected);
  return association->connection().seal(application_data, out);
}

// ---- state

std::optional<dtls::ConnectionInfo> MediaTransport::Impl::info() const {
  const auto* association = sender();
  return association != nullptr ? association->connection().info() : std::nullopt;
}

std::optional<dtls::Statistics> MediaTransport::Impl::dtls_statistics() const {
  const auto* newest = associations_.newest();
  if (newest == nullptr) return std::nullopt;
  return newest->connection().statistics();
}

srtp::Session* MediaTransport::Impl::srtp_session() {
  auto* newest = associations_.newest();
  return newest != nullptr ? newest->session_if_made() : nullptr;
}

}  // namespace sluice::transport
