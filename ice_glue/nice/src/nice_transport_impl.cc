#include "nice_transport_impl.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "send_status.h"
#include "tls_id.h"

namespace sluice::nice {
namespace {

template <class... Handlers>
struct Overloaded : Handlers... {
  using Handlers::operator()...;
};

auto problem(TransportErrc code) { return tl::unexpected(TransportError{code}); }

}  // namespace

NiceTransport::Impl::Impl(const NiceTransportOptions& options, dtls::Environment& environment,
                          transport::MediaTransport media, dtls::Fingerprint fingerprint,
                          std::string tls_id, _GMainContext* context,
                          NiceTransportListener& listener)
    : listener_(&listener),
      environment_(environment),
      origin_(g_get_monotonic_time()),
      answer_setup_(options.answer_setup),
      linger_((options.media.old_keys_hold + options.media.old_keys_linger).count()),
      wanted_cryptex_(options.media.srtp.cryptex),
      fingerprint_(std::move(fingerprint)),
      tls_id_(std::move(tls_id)),
      media_(std::move(media)),
      ice_(std::make_unique<IceGenerations>(context, options.ice, *this)),
      wake_(std::in_place, context, [this] { on_wake(); }) {}

// ---- calls of the user

TransportResult<void> NiceTransport::Impl::gather() {
  if (!open()) return problem(TransportErrc::closed);
  if (ice_->begun()) return {};
  if (auto begun = ice_->begin(); !begun) return begun;
  // RFC 5763 section 5: a side that offers actpass must be ready for a ClientHello before the
  // answer.
  if (!agreed_) input(media_->start(dtls::Role::server, now()));
  return {};
}

Description NiceTransport::Impl::local_description() const {
  Description description;
  description.fingerprints = {fingerprint_};
  description.cryptex = wanted_cryptex_ != srtp::Cryptex::off && remote_cryptex_;
  // RFC 8842 section 5.3: an answer has one if the offer has.
  if (!agreed_ || !agreed_->tls_id.empty()) description.tls_id = tls_id_;
  if (!ice_ || !ice_->begun()) return description;
  description.ice = ice_->local_credentials();
  description.candidates = ice_->local_candidates();
  description.end_of_candidates = ice_->gathered();
  if (ice_->remote_credentials()) {
    description.setup = agreed_->role == dtls::Role::client ? Setup::active : Setup::passive;
  }
  return description;
}

TransportResult<void> NiceTransport::Impl::set_remote_description(const Description& description,
                                                                  DescriptionKind kind) {
  if (!open()) return problem(TransportErrc::closed);
  if (kind == DescriptionKind::answer && description.setup == Setup::actpass) {
    return problem(TransportErrc::invalid_setup);
  }
  if (auto good = check(description.ice); !good) return good;
  if (description.fingerprints.empty()) return problem(TransportErrc::no_fingerprint);
  if (wanted_cryptex_ == srtp::Cryptex::required && !description.cryptex) {
    return problem(TransportErrc::no_cryptex);
  }

  const bool described = ice_->begun() && ice_->remote_credentials();
  const bool peer_restarts = described && *ice_->remote_credentials() != description.ice;
  auto agreement = agreement_after(agreed_, description, answer_setup_);
  const bool new_association = !agreed_ || !is_same_association(*agreed_, agreement);
  // RFC 8842 section 6: fresh candidates tell the datagrams of two associations apart.
  if (agreed_ && new_association && described && !peer_restarts) {
    return problem(TransportErrc::needs_ice_restart);
  }

  if (!ice_->begun() || peer_restarts) {
    if (auto begun = ice_->begin(); !begun) return begun;
  }
  remote_cryptex_ = description.cryptex;
  // Cannot fail: make() has checked that libsrtp has it.
  static_cast<void>(
      media_->set_cryptex(srtp::agree_on_cryptex(wanted_cryptex_, description.cryptex)));
  // Before ICE gets the credentials, so that no path of this generation is taken for the old
  // association's.
  if (new_association) {
    // RFC 8842 section 5.3: the answer to an offer of a new association has a new value.
    if (agreed_ && kind == DescriptionKind::offer) {
      auto tls_id = random_tls_id(environment_);
      if (!tls_id) return problem(TransportErrc::no_random_numbers);
      tls_id_ = *std::move(tls_id);
    }
    agree(std::move(agreement));
  }
  if (!described || peer_restarts) ice_->set_remote_credentials(description.ice);
  for (const auto& line : description.candidates) ice_->add_remote_candidate(line);
  if (description.end_of_candidates) ice_->end_of_remote_candidates();
  return {};
}

void NiceTransport::Impl::agree(DtlsAgreement agreement) {
  if (agreed_) {
    input(media_->restart(agreement.role, agreement.fingerprints, now()));
    // The peer's checks may have come before its answer.
    if (std::erase(validated_, ice_->path()) > 0) validate(ice_->path());
  } else {
    input(media_->start(agreement.role, now()));
    input(media_->set_peer_fingerprints(agreement.fingerprints, now()));
  }
  agreed_ = std::move(agreement);
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
  std::byte buffer[kMaxSend + srtp::kMaxTrailer];  // not initialised: it is large
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

// ---- calls of ICE

void NiceTransport::Impl::on_local_candidate(std::string line) { notify(std::move(line)); }
void NiceTransport::Impl::on_local_candidates_done() { notify(CandidatesDone{}); }
void NiceTransport::Impl::on_ice_state(IceState state) { notify(state); }

void NiceTransport::Impl::on_path_selected(PathId path, CandidatePair pair,
                                           std::optional<dtls::Duration> rtt) {
  notify(PathSelected{path, std::move(pair), rtt});
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

// libnice passes on a datagram only if its source has passed a check (ice_agent.h).
void NiceTransport::Impl::validate(PathId path) {
  if (std::find(validated_.begin(), validated_.end(), path) != validated_.end()) return;
  validated_.push_back(path);
  note(media_->path_validated(path, now()));
}

// ---- outputs

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
  } else if (result.error().is_fatal) {
    // What came before the error is still delivered, and the alert is sent.
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

// Delivers what earlier inputs left. To be called before a new input, which drops the data that
// hasn't been polled.
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
                            note(media_->path_selected(selected.path, selected.rtt, now()));
                            listener_->on_selected_pair(selected.pair);
                          }},
               notice);
    if (!listener_) return false;
  }
  return true;
}

bool NiceTransport::Impl::deliver() {
  // First, since the listener may take long, or destroy the transport before an alert is sent.
  transmit();
  return deliver_events() && deliver_packets();
}

bool NiceTransport::Impl::deliver_events() {
  if (!std::exchange(pending_.event, false)) return true;
  while (const auto event = media_->poll_event()) {
    if (const auto* connected = std::get_if<transport::TransportConnected>(&*event)) {
      listener_->on_connected(connected->info);
      if (!listener_) return false;
    } else if (const auto* limit = std::get_if<transport::TransportSsrcLimit>(&*event)) {
      listener_->on_ssrc_limit(limit->direction);
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

// DTLS's flights wait until libnice has a selected pair on their path: on_path_selected() follows.
// After that a datagram that the socket doesn't take is lost, and DTLS's timer repeats it.
void NiceTransport::Impl::transmit() {
  if (!pending_.transmit || !ice_) return;
  pending_.transmit = false;
  std::byte buffer[dtls::kMaxDatagram];
  for (const auto path : ice_->selected_paths()) {
    while (const auto datagram = media_->poll_transmit(buffer, path)) {
      ice_->send(datagram->path, Bytes(buffer).first(datagram->size));
      // The last flight of the handshake has left: what waited for that is there now.
      pending_.media = pending_.data = pending_.event = true;
    }
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
  // While the old keys still send, the old path is needed.
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
