#include "connection/live_form.h"

#include "crypto/hash.h"
#include "schedule/cipher_suite.h"

namespace sluice::dtls::connection::live_form {
namespace {

using message::MaxFragmentLength;

// The peer's credential, and what follows it.
constexpr std::uint8_t kCredential = 0x0f;
constexpr std::uint8_t kHasVerifiedName = 0x10;
constexpr std::uint8_t kHasMatch = 0x20;
constexpr std::uint8_t kHasPskDigest = 0x40;

bool has_names(const handshake::AgreedNames& names) {
  return !names.srtp_mki.empty() || !names.application_protocol.empty() ||
         !names.server_name.empty();
}

unsigned flags_of(const LiveSession12& session) {
  return (session.extended_master_secret ? kHasExtendedMasterSecret : 0U) |
         (session.resumed ? kIsResumed : 0U) | (session.last_flight ? kHasLastFlight : 0U);
}

unsigned flags_of(const LiveSession13& session) {
  return kIsDtls13 | (session.psk == schedule::PskKind::external ? kHasExternalPsk : 0U) |
         (session.psk == schedule::PskKind::resumption ? kHasResumptionPsk : 0U) |
         (session.old_keys ? kHasOldKeys : 0U) | (session.under_way ? kHasMessagesUnderWay : 0U) |
         (session.resumption ? kHasResumption : 0U) |
         (session.awaits_ids ? kAwaitsConnectionIds : 0U);
}

unsigned flags_of(const handshake::AgreedExtensions& extensions) {
  return (has_names(*extensions.names) ? kHasNames : 0U) |
         (extensions.srtp_profile ? kHasSrtpProfile : 0U) |
         (extensions.record_size_limits ? kHasRecordSizeLimits : 0U) |
         (extensions.client_certificate_type ? kHasClientCertificateType : 0U) |
         (extensions.server_certificate_type ? kHasServerCertificateType : 0U) |
         (extensions.max_fragment_length != MaxFragmentLength::none ? kHasMaxFragmentLength : 0U) |
         (extensions.return_routability ? kHasReturnRoutability : 0U);
}

handshake::AgreedExtensions extensions_of(unsigned flags) {
  handshake::AgreedExtensions extensions;
  if ((flags & kHasNames) != 0) extensions.names.edit();
  if ((flags & kHasSrtpProfile) != 0) extensions.srtp_profile.emplace();
  if ((flags & kHasRecordSizeLimits) != 0) extensions.record_size_limits.emplace();
  if ((flags & kHasClientCertificateType) != 0) extensions.client_certificate_type.emplace();
  if ((flags & kHasServerCertificateType) != 0) extensions.server_certificate_type.emplace();
  extensions.return_routability = (flags & kHasReturnRoutability) != 0;
  // Any but `none`: the value follows.
  if ((flags & kHasMaxFragmentLength) != 0) {
    extensions.max_fragment_length = MaxFragmentLength::bytes_512;
  }
  return extensions;
}

LiveSession12 session12_of(unsigned flags) {
  LiveSession12 session;
  session.extended_master_secret = (flags & kHasExtendedMasterSecret) != 0;
  session.resumed = (flags & kIsResumed) != 0;
  if ((flags & kHasLastFlight) != 0) session.last_flight = LiveSession12::LastFlight{};
  return session;
}

LiveSession13 session13_of(unsigned flags) {
  LiveSession13 session;
  if ((flags & kHasExternalPsk) != 0) session.psk = schedule::PskKind::external;
  if ((flags & kHasResumptionPsk) != 0) session.psk = schedule::PskKind::resumption;
  if ((flags & kHasOldKeys) != 0) session.old_keys = LiveSession13::OldKeys{};
  if ((flags & kHasMessagesUnderWay) != 0) session.under_way = LiveSession13::MessagesUnderWay{};
  if ((flags & kHasResumption) != 0) session.resumption = LiveSession13::Resumption{};
  session.awaits_ids = (flags & kAwaitsConnectionIds) != 0;
  return session;
}

// ---- the same for both archives, whose optional values have been set up

template <class Archive, class Names>
void visit_name_fields(Archive& archive, Names& names) {
  archive.bytes(names.srtp_mki);
  archive.text(names.application_protocol);
  archive.text(names.server_name);
}

template <class Archive, class Facts>
void visit_peer_fields(Archive& archive, Facts& peer, SignatureScheme& scheme) {
  auto& [info, psk, match, valid_until] = peer;
  if (info.credential == PeerCredential::none) return;
  archive.time(info.authenticated_at);
  if (info.credential == PeerCredential::psk) {
    archive.bytes(info.psk_identity);
    if (psk) archive.fixed(*psk);
    return;
  }
  archive.fixed(info.certificate_fingerprint);
  archive.code(scheme);
  if (info.verified_name) {
    archive.text(*info.verified_name);
    archive.time(valid_until);
  }
  if (match) {
    archive.code(match->hash);
    archive.bytes(match->value);
  }
}

}  // namespace

unsigned flags_of(const LiveSession& session) {
  return (session.role == Role::server ? kIsServer : 0U) | (session.group ? kHasGroup : 0U) |
         (session.send_limit ? kHasSendLimit : 0U) |
         (session.connection_ids ? kHasConnectionIds : 0U) | flags_of(session.extensions) |
         std::visit([](const auto& one) { return flags_of(one); }, session.of_version);
}

bool set_up(LiveSession& session, unsigned flags) {
  const bool is13 = (flags & kIsDtls13) != 0;
  if ((flags & (is13 ? kOnly12 : kOnly13)) != 0 || (flags & ~kAll) != 0) return false;
  if ((flags & kHasExternalPsk) != 0 && (flags & kHasResumptionPsk) != 0) return false;
  session.role = (flags & kIsServer) != 0 ? Role::server : Role::client;
  if ((flags & kHasGroup) != 0) session.group.emplace();
  session.extensions = extensions_of(flags);
  if ((flags & kHasSendLimit) != 0) session.send_limit.emplace();
  if ((flags & kHasConnectionIds) != 0) session.connection_ids.emplace();
  if (is13) {
    session.of_version = session13_of(flags);
  } else {
    session.of_version = session12_of(flags);
  }
  return true;
}

std::size_t secret_size(CipherSuite suite) {
  const auto* parameters = schedule::find13(suite);
  return parameters != nullptr ? crypto::hash_size(parameters->hash) : 0;
}

void visit_names(Encoder& archive, const LiveSession& session) {
  const auto& names = *session.extensions.names;
  if (!has_names(names)) return;
  visit_name_fields(archive, names);
}

void visit_names(Decoder& archive, LiveSession& session) {
  if (!session.extensions.names.has_value()) return;
  auto& names = session.extensions.names.edit();
  visit_name_fields(archive, names);
  if (!has_names(names)) archive.fail();
}

void visit_peer(Encoder& archive, const AcceptedPeer::Facts& peer) {
  const auto& [info, psk, match, valid_until] = peer;
  const unsigned kind = static_cast<unsigned>(info.credential) |
                        (info.verified_name ? kHasVerifiedName : 0U) | (match ? kHasMatch : 0U) |
                        (psk ? kHasPskDigest : 0U);
  archive.code(static_cast<std::uint8_t>(kind));
  auto scheme = info.signature_scheme.value_or(SignatureScheme{});
  visit_peer_fields(archive, peer, scheme);
}

void visit_peer(Decoder& archive, AcceptedPeer::Facts& peer) {
  auto& [info, psk, match, valid_until] = peer;
  std::uint8_t kind = 0;
  archive.code(kind);
  info.credential = static_cast<PeerCredential>(kind & kCredential);
  if (kind > (kCredential | kHasVerifiedName | kHasMatch | kHasPskDigest)) return archive.fail();
  if ((kind & kHasVerifiedName) != 0) info.verified_name.emplace();
  if ((kind & kHasMatch) != 0) match.emplace();
  if ((kind & kHasPskDigest) != 0) psk.emplace();
  const bool has_fingerprint =
      info.credential != PeerCredential::none && info.credential != PeerCredential::psk;
  if (has_fingerprint) {
    info.certificate_fingerprint.resize(crypto::hash_size(HashAlgorithm::sha256));
  }
  SignatureScheme scheme{};
  visit_peer_fields(archive, peer, scheme);
  if (scheme != SignatureScheme{}) info.signature_scheme = scheme;
}

}  // namespace sluice::dtls::connection::live_form
