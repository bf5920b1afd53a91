#include "nice_transport_impl.h"

#include <algorithm>
#include <utility>

namespace sluice::nice {
namespace {

template <class... Handlers>
struct Overloaded : Handlers... {
  using Handlers::operator()...;
};

SendStatus status_of(srtp::PacketError error) {
  switch (error) {
    case srtp::PacketError::no_key:
      return SendStatus::not_connected;
    case srtp::PacketError::malformed:
      return SendStatus::malformed;
    case srtp::PacketError::replayed:
    case srtp::PacketError::ssrc_retired:
      return SendStatus::repeated;
    case srtp::PacketError::too_many_ssrcs:
      return SendStatus::too_many_ssrcs;
    case srtp::PacketError::buffer_too_small:
      return SendStatus::too_large;
    case srtp::PacketError::key_exhausted:
      return SendStatus::limit_reached;
    case srtp::PacketError::authentication_failed:
    case srtp::PacketError::internal:
      break;
  }
  return SendStatus::failed;
}

SendStatus status_of(dtls::SendError error) {
  switch (error) {
    case dtls::SendError::not_connected:
      return SendStatus::not_connected;
    case dtls::SendError::limit_reached:
      return SendStatus::limit_reached;
    case dtls::SendError::libcrypto_failure:
      return SendStatus::failed;
    case dtls::SendError::too_large:
    case dtls::SendError::buffer_too_small:
      break;
  }
  return SendStatus::too_large;
}

SendStatus status_of(IceSend result) {
  switch (result) {
    case IceSend::sent:
      return SendStatus::sent;
    case IceSend::would_block:
      return SendStatus::blocked;
    case IceSend::no_consent:
    case IceSend::failed:
      break;
  }
  return SendStatus::refused;
}

// RFC 8842 section 5.1: it is the set that counts.
bool same_set(const std::vector<dtls::Fingerprint>& a, const std::vector<dtls::Fingerprint>& b) {
  return std::is_permutation(a.begin(), a.end(), b.begin(), b.end());
}

auto problem(TransportErrc code) { return tl::unexpected(TransportError{code}); }

}  // namespace

NiceTransport::Impl::Impl(const NiceTransportOptions& options, transport::MediaTransport media,
                          dtls::Fingerprint fingerprint, _GMainContext* context,
                          NiceTransportListener& listener)
    : listener_(&listener),
      origin_(g_get_monotonic_time()),
      answer_setup_(options.answer_setup),
      linger_((options.media.old_keys_hold + options.media.old_keys_linger).count()),
      fingerprint_(std::move(fingerprint)),
      media_(std::move(media)),
      ice_(std::make_unique<IceGenerations>(context, options.ice, *this)),
      wake_(std::in_place, context, [this] { on_wake(); }) {}

// ---- what the user asks for

TransportResult<void> NiceTransport::Impl::gather() {
  if (!open()) return problem(TransportErrc::closed);
  if (ice_->begun()) return {};
  if (auto begun = ice_->begin(); !begun) return begun;
  // RFC 5763 section 5: who offers actpass must be ready for a ClientHello before the answer.
  if (!agreed_) input(media_->start(dtls::Role::server, now()));
  return {};
}

Description NiceTransport::Impl::local_description() const {
  Description description;
  description.fingerprints = {fingerprint_};
  if (!ice_ || !ice_->begun()) return description;
  description.ice = ice_->local_credentials();
  description.candidates = ice_->local_candidates();
  description.end_of_candidates = ice_->gathered();
  if (ice_->remote_credentials()) {
    description.setup = agreed_->role == dtls::Role::client ? Setup::active : Setup::passive;
  }
  return description;
}

TransportResult<void> NiceTransport::Impl::set_remote_description(const Description& description) {
  if (!open()) return problem(TransportErrc::closed);
  if (auto good = check(description.ice); !good) return good;
  if (description.fingerprints.empty()) return problem(TransportErrc::no_fingerprint);

  const bool described = ice_->begun() && ice_->remote_credentials();
  const bool peer_restarts = described && *ice_->remote_credentials() != description.ice;
  const bool same_fingerprints = agreed_ && agreed_->tls_id == description.tls_id &&
                                 same_set(agreed_->fingerprints, description.fingerprints);
  const auto role = role_for(description, same_fingerprints);
  // RFC 8842 section 6: fresh candidates are what tells two associations apart.
  const bool new_association = agreed_ && (!same_fingerprints || agreed_->role != role);
  if (new_association && described && !peer_restarts) {
    return problem(TransportErrc::needs_ice_restart);
  }

  if (!ice_->begun() || peer_restarts) {
    if (auto begun = ice_->begin(); !begun) return begun;
  }
  // DTLS first, so that no path of this generation is taken for the old association's.
  if (!agreed_ || new_association) agree(description, role);
  if (!described || peer_restarts) ice_->set_remote_credentials(description.ice);
  for (const auto& line : description.candidates) ice_->add_remote_candidate(line);
  if (description.end_of_candidates) ice_->end_of_remote_candidates();
  return {};
}

dtls::Role NiceTransport::Impl::role_for(const Description& description,
                                         bool same_association) const {
  if (description.setup == Setup::active) return dtls::Role::server;
  if (description.setup == Setup::passive) return dtls::Role::client;
  // RFC 8842 section 5.5: an offer that changes nothing says actpass too, the roles stay.
  if (same_association) return agreed_->role;
  return answer_setup_ == Setup::passive ? dtls::Role::server : dtls::Role::client;
}

void NiceTransport::Impl::agree(const Description& description, dtls::Role role) {
  if (agreed_) {
    input(media_->restart(role, description.fingerprints, now()));
    // The peer's checks may have come before its answer.
    if (std::erase(validated_, ice_->path()) > 0) validate(ice_->path());
  } else {
    input(media_->start(role, now()));
    input(media_->set_peer_fingerprints(description.fingerprints, now()));
  }
  agreed_ = Agreement{role, description.fingerprints, description.tls_id};
}

CandidateStatus NiceTransport::Impl::add_remote_candidate(std::string_view line) {
  return ice_ ? ice_->add_remote_candidate(line) : CandidateStatus::no_remote_description;
}

void NiceTransport::Impl::end_of_remote_candidates() {
  if (ice_ && ice_->begun()) ice_->end_of_remote_candidates();
}

TransportResult<void> NiceTransport::Impl::restart_ice() {
  if (!open()) return problem(TransportErrc::closed);
  return ice_->begin();
}

void NiceTransport::Impl::close() {
  if (!open()) return;
  input(media_->close(now()));
  closing_ = CloseReason{CloseReason::Cause::local};
}

SendStatus NiceTransport::Impl::send_media(transport::MediaKind kind, Bytes packet) {
  if (packet.size() > kMaxSend) return SendStatus::too_large;
  if (!ice_) return SendStatus::not_connected;
  std::byte buffer[kMaxSend + srtp::kMaxTrailer];  // not filled: it is large
  std::copy(packet.begin(), packet.end(), buffer);
  const auto size = kind == transport::MediaKind::rtp ? media_->protect_rtp(buffer, packet.size())
                                                      : media_->protect_rtcp(buffer, packet.size());
  return size ? send(Bytes(buffer).first(*size)) : status_of(size.error());
}

SendStatus NiceTransport::Impl::send_data(Bytes data) {
  if (!ice_) return SendStatus::not_connected;
  std::byte buffer[kMaxSend + dtls::kSealOverhead];
  const auto size = media_->seal_data(data, buffer);
  return size ? send(Bytes(buffer).first(*size)) : status_of(size.error());
}

SendStatus NiceTransport::Impl::send(Bytes datagram) {
  const auto path = media_->path();
  return path ? status_of(ice_->send(*path, datagram)) : SendStatus::blocked;
}

IceStatistics NiceTransport::Impl::ice_statistics() const {
  return ice_ ? ice_->statistics() : last_ice_statistics_;
}

void NiceTransport::Impl::shut_down() {
  listener_ = nullptr;
  if (open()) note(media_->close(now()));
  transmit();
  wake_.reset();
  ice_.reset();
  media_.reset();
}

// ---- what ICE says

void NiceTransport::Impl::on_local_candidate(std::string line) { notify(std::move(line)); }
void NiceTransport::Impl::on_local_candidates_done() { notify(CandidatesDone{}); }
void NiceTransport::Impl::on_ice_state(IceState state) { notify(state); }

void NiceTransport::Impl::on_path_selected(PathId path, CandidatePair pair) {
  notify(PathSelected{path, std::move(pair)});
}

void NiceTransport::Impl::on_path_lost(PathId path) {
  std::erase_if(notices_, [path](const Notice& notice) {
    const auto* selected = std::get_if<PathSelected>(&notice);
    return selected != nullptr && selected->path == path;
  });
  std::erase(validated_, path);
  media_->path_removed(path);
}

void NiceTransport::Impl::on_datagram(PathId path, MutableBytes datagram) {
  const auto self = shared_from_this();
  if (closing_ || !catch_up()) return;
  validate(path);
  note(media_->handle_datagram(datagram, path, now()));
  if (deliver()) schedule();
}

// A datagram that libnice lets through has a source that passed a check (ice_agent.h).
void NiceTransport::Impl::validate(PathId path) {
  if (std::find(validated_.begin(), validated_.end(), path) != validated_.end()) return;
  validated_.push_back(path);
  note(media_->path_validated(path, now()));
}

// ---- what is left to do

Instant NiceTransport::Impl::now() const {
  return Instant(std::chrono::microseconds(g_get_monotonic_time() - origin_));
}

void NiceTransport::Impl::note(const dtls::Result<transport::TransportPending>& result) {
  if (result) {
    pending_.transmit |= result->transmit;
    pending_.media |= result->media;
    pending_.data |= result->data;
    pending_.event |= result->event;
    pending_.timer |= result->timer;
  } else if (result.error().code != dtls::Errc::invalid_argument &&
             result.error().code != dtls::Errc::closed) {
    // What came before it is still delivered, and its alert sent.
    pending_ = {.transmit = true, .media = true, .data = true, .event = true, .timer = true};
    if (!closing_) closing_ = CloseReason{CloseReason::Cause::error, result.error()};
  }
}

void NiceTransport::Impl::input(const dtls::Result<transport::TransportPending>& result) {
  note(result);
  wake_->wake();
}

void NiceTransport::Impl::notify(Notice notice) {
  notices_.push_back(std::move(notice));
  wake_->wake();
}

void NiceTransport::Impl::on_wake() {
  const auto self = shared_from_this();
  if (!catch_up()) return;
  note(media_->handle_timeout(now()));
  ice_->handle_timeout();
  if (!deliver()) return;
  closing_ ? end() : schedule();
}

// What the user's calls have left, and what ICE has said. First: the next input to
// transport::MediaTransport takes away the data that hasn't been polled.
bool NiceTransport::Impl::catch_up() { return deliver() && take_notices(); }

bool NiceTransport::Impl::take_notices() {
  while (!notices_.empty()) {
    const auto notice = std::move(notices_.front());
    notices_.pop_front();
    std::visit(Overloaded{[this](const std::string& line) { listener_->on_local_candidate(line); },
                          [this](CandidatesDone) { listener_->on_local_candidates_done(); },
                          [this](IceState state) { listener_->on_ice_state(state); },
                          [this](const PathSelected& selected) {
                            validate(selected.path);
                            note(media_->path_selected(selected.path, std::nullopt, now()));
                            listener_->on_selected_pair(selected.pair);
                          }},
               notice);
    if (!listener_) return false;
  }
  return true;
}

bool NiceTransport::Impl::deliver() {
  // First, so that a flight doesn't wait for what the user does, and an alert not be lost by it.
  transmit();
  return deliver_events() && deliver_packets();
}

bool NiceTransport::Impl::deliver_events() {
  if (!std::exchange(pending_.event, false)) return true;
  while (const auto event = media_->poll_event()) {
    if (const auto* connected = std::get_if<transport::TransportConnected>(&*event)) {
      listener_->on_connected(connected->info);
      if (!listener_) return false;
    } else if (!closing_) {
      closing_ = CloseReason{CloseReason::Cause::peer};
    }
  }
  return true;
}

bool NiceTransport::Impl::deliver_packets() {
  if (std::exchange(pending_.data, false)) {
    while (const auto data = media_->poll_data()) {
      listener_->on_data(*data);
      if (!listener_) return false;
    }
  }
  if (std::exchange(pending_.media, false)) {
    while (const auto media = media_->poll_media()) {
      media->kind == transport::MediaKind::rtp ? listener_->on_rtp(media->packet)
                                               : listener_->on_rtcp(media->packet);
      if (!listener_) return false;
    }
  }
  return true;
}

// DTLS's flights wait until libnice has a pair to send them over; then what its socket doesn't take
// is lost like any datagram, and sent again by DTLS's timer.
void NiceTransport::Impl::transmit() {
  if (!pending_.transmit || !ice_ || !ice_->any_selected()) return;
  pending_.transmit = false;
  std::byte buffer[dtls::kMaxDatagram];
  while (const auto datagram = media_->poll_transmit(buffer)) {
    ice_->send(datagram->path, Bytes(buffer).first(datagram->size));
  }
}

void NiceTransport::Impl::end() {
  transmit();
  last_ice_statistics_ = ice_->statistics();
  ice_.reset();
  wake_.reset();
  std::exchange(listener_, nullptr)->on_closed(*closing_);
}

void NiceTransport::Impl::schedule() {
  if (closing_) return wake_->wake();
  // While old keys still send, they do it over the old path.
  if (ice_->begun() && ice_->selected() && media_->path() == ice_->path()) {
    ice_->retire_previous(linger_);
  }
  auto next = ice_->next_timeout();
  if (const auto timeout = media_->next_timeout()) {
    const auto at = origin_ + timeout->time_since_epoch().count();
    next = next ? std::min(*next, at) : at;
  }
  wake_->set_time(next);
}

}  // namespace sluice::nice
