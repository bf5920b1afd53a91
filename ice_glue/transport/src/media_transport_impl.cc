// The associations of a transport: when they begin, follow each other and end. What becomes of
// single packets is in media_flow.cc.
#include "media_transport_impl.h"

#include <algorithm>
#include <utility>

namespace sluice::transport {
namespace {

// Above the MTU of any path but loopback's.
constexpr std::size_t kSpareSize = 2048;

dtls::Error refusal(dtls::Errc code, std::string_view detail) {
  return dtls::Error{.code = code, .detail = detail};
}

}  // namespace

MediaTransport::Impl::Impl(MediaTransportOptions options, dtls::Environment& environment)
    : options_(std::move(options)),
      environment_(&environment),
      paths_(options_.max_paths),
      early_(options_.max_early_packets, options_.max_early_packet_size) {}

// ---- every input

const MediaTransport::Impl::Ended* MediaTransport::Impl::begin_input() {
  media_.reset();
  delivered_early_.reset();
  data_valid_ = false;
  pending_ = {};
  if (previous_ && previous_->leaving()) forget_previous();
  return ended_ ? &*ended_ : nullptr;
}

dtls::Result<TransportPending> MediaTransport::Impl::end_input(const dtls::Result<void>& outcome,
                                                               Instant now) {
  if (!outcome) {
    end({Ended::By::failure, outcome.error()}, now);
    return tl::unexpected(outcome.error());
  }
  pending_.media = media_.has_value() || (current_connected() && !early_.empty());
  pending_.event = !events_.empty();
  const auto timeout = next_timeout();
  pending_.timer = std::exchange(reported_timeout_, timeout) != timeout;
  return pending_;
}

dtls::Result<TransportPending> MediaTransport::Impl::after_end(const Ended& ended) const {
  if (ended.error) return tl::unexpected(*ended.error);
  return TransportPending{.event = !events_.empty()};
}

void MediaTransport::Impl::end(Ended ended, Instant now) {
  ended_ = std::move(ended);
  if (current_) current_->end_media();
  if (previous_) previous_->leave(now);
  early_.clear();
  media_.reset();
  pending_.transmit = true;
}

// ---- signalling

dtls::Result<TransportPending> MediaTransport::Impl::start(dtls::Role role, Instant now) {
  if (const auto* ended = begin_input()) {
    if (ended->error) return tl::unexpected(*ended->error);
    return tl::unexpected(refusal(dtls::Errc::closed, "start after the end"));
  }
  if (current_ && current_->connection().role() != role) {
    return tl::unexpected(refusal(dtls::Errc::invalid_argument, "role: the handshake has begun"));
  }
  role_ = role;
  return end_input(begin_client_if_possible(now), now);
}

dtls::Result<TransportPending> MediaTransport::Impl::set_peer_fingerprints(
    std::span<const dtls::Fingerprint> announced, Instant now) {
  if (const auto* ended = begin_input()) {
    if (ended->error) return tl::unexpected(*ended->error);
    return tl::unexpected(refusal(dtls::Errc::closed, "fingerprints after the end"));
  }
  if (announced.empty()) {
    return tl::unexpected(refusal(dtls::Errc::invalid_argument, "announced: empty"));
  }
  announced_.assign(announced.begin(), announced.end());
  if (!current_) return end_input({}, now);
  const auto result = current_->connection().set_peer_fingerprints(announced_, now);
  return end_input(after_connection(result, now), now);
}

dtls::Result<TransportPending> MediaTransport::Impl::restart(
    dtls::Role role, std::span<const dtls::Fingerprint> announced, Instant now) {
  if (const auto* ended = begin_input(); ended != nullptr && ended->by == Ended::By::user) {
    return tl::unexpected(refusal(dtls::Errc::closed, "restart after close()"));
  }
  if (ended_) {
    forget_previous();
  } else if (current_connected()) {
    // What carries media goes on; an older one has had its time.
    current_->session(options_.srtp);
    previous_.emplace(std::move(*current_),
                      PreviousAssociation::Times{.hold = options_.old_keys_hold,
                                                 .linger = options_.old_keys_linger});
    spare_.resize(std::max(options_.max_early_packet_size, kSpareSize));
  }
  current_.reset();
  ended_.reset();
  early_.clear();
  generation_ = Generation{static_cast<std::uint32_t>(generation_) + 1};
  role_ = role;
  announced_.assign(announced.begin(), announced.end());
  return end_input({}, now);
}

dtls::Result<TransportPending> MediaTransport::Impl::close(Instant now) {
  if (const auto* ended = begin_input()) return after_end(*ended);
  if (current_) static_cast<void>(current_->connection().close(now));
  end({Ended::By::user}, now);
  return end_input({}, now);
}

// ---- paths

dtls::Result<TransportPending> MediaTransport::Impl::path_validated(PathId path, Instant now) {
  if (const auto* ended = begin_input()) return after_end(*ended);
  if (!paths_.add(path, generation_)) ++statistics_.paths_refused;
  // A restart may have made this the selected path of the new association.
  return end_input(begin_client_if_possible(now), now);
}

dtls::Result<TransportPending> MediaTransport::Impl::path_selected(
    PathId path, std::optional<dtls::Duration> rtt, Instant now) {
  if (const auto* ended = begin_input()) return after_end(*ended);
  if (!paths_.knows(path) && !paths_.add(path, generation_)) {
    ++statistics_.paths_refused;
    return end_input({}, now);
  }
  selected_ = path;
  rtt_ = rtt;
  if (auto* association = association_of(path)) {
    association->connection().set_path(path);
    if (rtt) association->connection().set_path_rtt(*rtt);
  }
  // What waited for a path can leave.
  pending_.transmit = true;
  return end_input(begin_client_if_possible(now), now);
}

void MediaTransport::Impl::path_removed(PathId path) {
  paths_.remove(path);
  if (selected_ == path) selected_.reset();
}

void MediaTransport::Impl::set_path_mtu(std::size_t mtu) {
  mtu_ = mtu;
  if (current_) current_->connection().set_path_mtu(mtu);
}

std::optional<PathId> MediaTransport::Impl::selected_for_current() const {
  if (!selected_ || paths_.generation_of(*selected_) != generation_) return std::nullopt;
  return selected_;
}

// ---- the newest association

dtls::Result<void> MediaTransport::Impl::begin_client_if_possible(Instant now) {
  const auto path = selected_for_current();
  if (current_ || role_ != dtls::Role::client || !path) return {};
  return begin(dtls::Role::client, *path, now);
}

dtls::Result<void> MediaTransport::Impl::begin(dtls::Role role, PathId path, Instant now) {
  auto connection = role == dtls::Role::client
                        ? dtls::Connection::client(options_.dtls, *environment_, path, now)
                        : dtls::Connection::server(options_.dtls, *environment_, path, now);
  if (!connection) return tl::unexpected(connection.error());
  if (mtu_) connection->set_path_mtu(*mtu_);
  if (rtt_ && path == selected_) connection->set_path_rtt(*rtt_);
  current_.emplace(std::move(*connection), generation_);
  ++statistics_.associations;
  pending_.transmit = true;
  if (announced_.empty()) return {};
  return after_connection(current_->connection().set_peer_fingerprints(announced_, now), now);
}

dtls::Result<void> MediaTransport::Impl::after_connection(const dtls::Result<dtls::Pending>& result,
                                                          Instant now) {
  while (const auto event = current_->connection().poll_event()) {
    if (const auto* connected = std::get_if<dtls::Connected>(&*event)) {
      on_connected(connected->info, now);
    } else if (std::holds_alternative<dtls::Closed>(*event)) {
      events_.emplace_back(TransportClosed{});
      end({Ended::By::peer}, now);
    }
    // The peer's certificate waits for set_peer_fingerprints().
  }
  if (!result) return tl::unexpected(result.error());
  pending_.transmit |= result->transmit;
  pending_.data |= result->data;
  data_valid_ |= result->data;
  if (result->data && !ended_) on_new_keys_used(now);
  return {};
}

void MediaTransport::Impl::on_connected(const dtls::ConnectionInfo& info, Instant now) {
  events_.emplace_back(TransportConnected{info});
  if (!previous_) return;
  // In DTLS 1.2 the server has the last word of a full handshake, in 1.3 the client (RFC 5246
  // section 7.3, RFC 8446 section 2): whoever hears it knows that the other has finished.
  const auto hears_last =
      info.version == dtls::ProtocolVersion::dtls12 ? dtls::Role::client : dtls::Role::server;
  previous_->on_newest_connected(info.role == hears_last, now);
}

void MediaTransport::Impl::on_new_keys_used(Instant now) {
  if (previous_) previous_->on_newest_used(now);
}

void MediaTransport::Impl::forget_previous() {
  previous_.reset();
  spare_ = {};
}

// ---- time and outputs

dtls::Result<TransportPending> MediaTransport::Impl::handle_timeout(Instant now) {
  if (const auto* ended = begin_input()) return after_end(*ended);
  if (previous_) {
    previous_->handle_timeout(now);
    pending_.transmit = previous_->leaving();
  }
  if (!current_) return end_input({}, now);
  return end_input(after_connection(current_->connection().handle_timeout(now), now), now);
}

std::optional<Instant> MediaTransport::Impl::next_timeout() const {
  if (ended_) return std::nullopt;
  auto next = current_ ? current_->connection().next_timeout() : std::nullopt;
  const auto other = previous_ ? previous_->next_timeout() : std::nullopt;
  if (other && (!next || *other < *next)) next = other;
  return next;
}

bool MediaTransport::Impl::may_transmit(const Association& association) const {
  return paths_.generation_of(association.connection().path()) == association.generation();
}

std::optional<dtls::Transmit> MediaTransport::Impl::poll_transmit(MutableBytes out) {
  if (previous_ && may_transmit(previous_->association())) {
    if (auto transmit = previous_->association().connection().poll_transmit(out)) return transmit;
  }
  if (!current_ || !may_transmit(*current_)) return std::nullopt;
  return current_->connection().poll_transmit(out);
}

std::optional<MutableBytes> MediaTransport::Impl::poll_data() {
  if (!data_valid_) return std::nullopt;
  if (previous_) {
    if (auto data = previous_->association().connection().poll_data()) return data;
  }
  return current_ ? current_->connection().poll_data() : std::nullopt;
}

std::optional<TransportEvent> MediaTransport::Impl::poll_event() {
  if (events_.empty()) return std::nullopt;
  auto event = events_.front();
  events_.erase(events_.begin());
  return event;
}

// ---- what it knows

Association* MediaTransport::Impl::association_of(PathId path) {
  const auto generation = paths_.generation_of(path);
  if (!generation) return nullptr;
  if (generation == generation_) return current_ ? &*current_ : nullptr;
  if (previous_ && previous_->association().generation() == generation) {
    return &previous_->association();
  }
  return nullptr;
}

const Association* MediaTransport::Impl::sender() const {
  if (ended_) return nullptr;
  if (previous_ && previous_->sends()) return &previous_->association();
  return current_connected() ? &*current_ : nullptr;
}

std::optional<PathId> MediaTransport::Impl::path() const {
  if (previous_ && previous_->sends()) {
    const auto& association = previous_->association();
    if (may_transmit(association)) return association.connection().path();
  }
  return selected_;
}

std::optional<dtls::ConnectionInfo> MediaTransport::Impl::info() const {
  const auto* association = sender();
  return association != nullptr ? association->connection().info() : std::nullopt;
}

std::optional<dtls::Statistics> MediaTransport::Impl::dtls_statistics() const {
  if (!current_) return std::nullopt;
  return current_->connection().statistics();
}

srtp::Session* MediaTransport::Impl::srtp_session() {
  return current_ ? current_->session_if_made() : nullptr;
}

}  // namespace sluice::transport
