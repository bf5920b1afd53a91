#include <sluice/transport/media_transport.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "media_transport_impl.h"

namespace sluice::transport {
namespace {

// A PSK would take the place of the certificate that the peer's SDP names (RFC 8827 section 6.5).
// Tickets may be used: a resumed session is checked by its certificate again.
bool may_use_psk(const dtls::ConfigOptions& options) {
  return !options.pre_shared_keys.empty() || options.ask_for_psk ||
         options.resumption == dtls::Resumption::store;
}

// A peer without a certificate has no fingerprint (RFC 8827 section 6.5).
bool may_have_no_certificate(const dtls::ConfigOptions& options) {
  return options.peer_authentication != dtls::PeerAuthentication::require &&
         options.peer_authentication != dtls::PeerAuthentication::require_and_verify;
}

// MediaTransport has no way to answer questions. SDP announces the fingerprint of one certificate
// (RFC 8122 section 5), and the peer is accepted by its fingerprint.
bool asks_questions(const dtls::ConfigOptions& options) {
  return options.ask_for_identity || options.ask_for_config || options.ask_about_connection ||
         options.ask_about_verified_peer ||
         std::ranges::any_of(options.identities, &dtls::Identity::has_key_elsewhere);
}

// ICE decides which path is used, and has checked it (RFC 8445): a Connection must not move by
// itself.
bool checks_paths(const dtls::ConfigOptions& options) {
  return options.connection_id_size && options.return_routability != dtls::ReturnRoutability::none;
}

// Otherwise the handshake would succeed, and then no media would pass.
std::string_view unsupported_srtp(const dtls::ConfigOptions& options) {
  if (options.srtp_profiles.empty()) return {};
  if (options.srtp_mki.size() > srtp::kMaxMki) return "dtls: srtp_mki above 128 bytes";
  if (options.max_srtp_mki > srtp::kMaxMki) return "dtls: max_srtp_mki above 128 bytes";
  for (const auto profile : options.srtp_profiles) {
    const auto supported = srtp::supported(profile);
    if (supported) continue;
    switch (supported.error()) {
      case srtp::SetupError::unsupported_profile:
        return "dtls: srtp_profiles: one that this libsrtp does not support";
      case srtp::SetupError::out_of_memory:
        return "dtls: srtp_profiles: no memory for libsrtp";
      default:
        return "dtls: srtp_profiles: libsrtp can't be initialised";
    }
  }
  return {};
}

// The name of the first field that is out of its range; empty when all is well.
std::string_view wrong_field(const MediaTransportOptions& options) {
  constexpr std::size_t kMaxCount = 1024;
  constexpr std::size_t kMaxPacket = 65535;
  if (!options.dtls) return "dtls: required";
  if (may_use_psk(options.dtls->options())) return "dtls: PSKs, where fingerprints are to decide";
  if (may_have_no_certificate(options.dtls->options())) {
    return "dtls: peer_authentication, where fingerprints are to decide, must be require or "
           "require_and_verify";
  }
  if (asks_questions(options.dtls->options()))
    return "dtls: questions, which MediaTransport can't answer";
  if (checks_paths(options.dtls->options()))
    return "dtls: return_routability: ICE checks paths; connection IDs need none";
  if (const auto wrong = unsupported_srtp(options.dtls->options()); !wrong.empty()) return wrong;
  if (options.max_early_packets > kMaxCount) return "max_early_packets: above 1024";
  if (options.max_early_packet_size > kMaxPacket) return "max_early_packet_size: above 65535";
  if (options.max_paths < 1 || options.max_paths > kMaxCount) return "max_paths: not 1 to 1024";
  if (!srtp::valid(options.srtp)) return "srtp: a field out of its range";
  if (options.srtp.cryptex != srtp::Cryptex::off && !srtp::has_cryptex())
    return "srtp: cryptex: this libsrtp has none, 2.8.0 and newer have it";
  if (options.old_keys_linger < dtls::Duration::zero()) return "old_keys_linger: negative";
  if (options.old_keys_hold < dtls::Duration::zero()) return "old_keys_hold: negative";
  return {};
}

}  // namespace

dtls::Result<MediaTransport> MediaTransport::make(MediaTransportOptions options,
                                                  dtls::Environment& environment) {
  if (const auto wrong = wrong_field(options); !wrong.empty()) {
    return tl::unexpected(dtls::Error{.code = dtls::Errc::invalid_config, .detail = wrong});
  }
  return MediaTransport(std::make_unique<Impl>(std::move(options), environment));
}

dtls::Result<MediaTransport> MediaTransport::restore(MediaTransportOptions options,
                                                     dtls::Environment& environment,
                                                     TransportState state, Instant now) {
  if (const auto wrong = wrong_field(options); !wrong.empty()) {
    return tl::unexpected(dtls::Error{.code = dtls::Errc::invalid_config, .detail = wrong});
  }
  auto impl = std::make_unique<Impl>(std::move(options), environment);
  if (const auto restored = impl->restore(state.bytes(), now); !restored) {
    return dtls::forward_error(restored);
  }
  return MediaTransport(std::move(impl));
}

MediaTransport::MediaTransport(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
MediaTransport::MediaTransport(MediaTransport&&) noexcept = default;
MediaTransport& MediaTransport::operator=(MediaTransport&&) noexcept = default;
MediaTransport::~MediaTransport() = default;

TransportWaitingFor MediaTransport::waiting_for() const { return impl_->waiting_for(); }

dtls::Result<TransportPending> MediaTransport::start(dtls::Role role, Instant now) {
  return impl_->start(role, now);
}
dtls::Result<TransportPending> MediaTransport::set_peer_fingerprints(
    std::span<const dtls::Fingerprint> announced, Instant now) {
  return impl_->set_peer_fingerprints(announced, now);
}
dtls::Result<void> MediaTransport::set_cryptex(srtp::Cryptex mode) {
  return impl_->set_cryptex(mode);
}
srtp::Cryptex MediaTransport::cryptex() const { return impl_->cryptex(); }
dtls::Result<TransportPending> MediaTransport::restart(dtls::Role role,
                                                       std::span<const dtls::Fingerprint> announced,
                                                       Instant now) {
  return impl_->restart(role, announced, now);
}
dtls::Result<TransportPending> MediaTransport::path_validated(PathId path, Instant now) {
  return impl_->path_validated(path, now);
}
dtls::Result<TransportPending> MediaTransport::path_selected(PathId path,
                                                             std::optional<dtls::Duration> rtt,
                                                             Instant now) {
  return impl_->path_selected(path, rtt, now);
}
void MediaTransport::path_removed(PathId path) { impl_->path_removed(path); }
void MediaTransport::set_path_mtu(std::size_t mtu) { impl_->set_path_mtu(mtu); }
void MediaTransport::set_path_rtt(dtls::Duration rtt) { impl_->set_path_rtt(rtt); }
dtls::Result<TransportPending> MediaTransport::handle_datagram(MutableBytes datagram, PathId path,
                                                               Instant now) {
  return impl_->handle_datagram(datagram, path, now);
}
dtls::Result<TransportPending> MediaTransport::handle_timeout(Instant now) {
  return impl_->handle_timeout(now);
}
dtls::Result<TransportPending> MediaTransport::close(Instant now) { return impl_->close(now); }

dtls::Result<TransportState> MediaTransport::export_session(const dtls::ExportOptions& options) && {
  return impl_->export_session(options);
}
std::optional<ExportBlocked> MediaTransport::export_blocked() const {
  return impl_->export_blocked();
}

srtp::Outcome MediaTransport::protect(MediaKind kind, MutableBytes buffer, std::size_t size) {
  return impl_->protect(kind, buffer, size);
}
dtls::SendResult MediaTransport::seal_data(Bytes application_data, MutableBytes out) {
  return impl_->seal_data(application_data, out);
}

std::optional<dtls::Transmit> MediaTransport::poll_transmit(MutableBytes out) {
  return impl_->poll_transmit(out, std::nullopt);
}
std::optional<dtls::Transmit> MediaTransport::poll_transmit(MutableBytes out, PathId path) {
  return impl_->poll_transmit(out, path);
}
std::optional<MutableBytes> MediaTransport::poll_data() { return impl_->poll_data(); }
std::optional<MediaPacket> MediaTransport::poll_media() { return impl_->poll_media(); }
std::optional<TransportEvent> MediaTransport::poll_event() { return impl_->poll_event(); }
std::optional<Instant> MediaTransport::next_timeout() const { return impl_->next_timeout(); }

std::optional<PathId> MediaTransport::path() const { return impl_->path(); }
bool MediaTransport::ended() const { return impl_->ended(); }
std::optional<dtls::Error> MediaTransport::error() const { return impl_->error(); }
bool MediaTransport::connected() const { return impl_->connected(); }
std::optional<dtls::ConnectionInfo> MediaTransport::info() const { return impl_->info(); }
const MediaTransportStatistics& MediaTransport::statistics() const { return impl_->statistics(); }
std::optional<dtls::Statistics> MediaTransport::dtls_statistics() const {
  return impl_->dtls_statistics();
}
srtp::Session* MediaTransport::srtp_session() { return impl_->srtp_session(); }

std::string_view to_string(TransportWaitingFor what) {
  switch (what) {
    case TransportWaitingFor::nothing:
      return "nothing";
    case TransportWaitingFor::role:
      return "role";
    case TransportWaitingFor::path:
      return "path";
    case TransportWaitingFor::client_hello:
      return "client_hello";
    case TransportWaitingFor::peer_message:
      return "peer_message";
    case TransportWaitingFor::fingerprints:
      return "fingerprints";
  }
  return "unknown";
}

std::string_view to_string(Drop reason) {
  switch (reason) {
    case Drop::unvalidated_path:
      return "unvalidated_path";
    case Drop::outdated_path:
      return "outdated_path";
    case Drop::foreign_protocol:
      return "foreign_protocol";
    case Drop::not_started:
      return "not_started";
    case Drop::early_media_full:
      return "early_media_full";
    case Drop::early_media_large:
      return "early_media_large";
    case Drop::not_negotiated:
      return "not_negotiated";
    case Drop::ended:
      return "ended";
  }
  return "unknown";
}

}  // namespace sluice::transport
