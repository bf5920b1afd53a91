#include "connection/live_session.h"

#include <algorithm>

#include "connection/live_form.h"
#include "message/server_name.h"
#include "negotiation/selection.h"
#include "record/connection_ids.h"
#include "record/replay_window.h"
#include "record/stored_epoch.h"
#include "schedule/cipher_suite.h"

namespace sluice::dtls::connection {

using message::HandshakeFragment;
using wire::HandshakeType;

std::optional<HandshakeFragment> single_fragment(Bytes bytes) {
  wire::Reader reader(bytes);
  const auto fragment = HandshakeFragment::take(reader);
  return fragment && reader.complete() ? fragment : std::nullopt;
}

std::optional<HandshakeFragment> whole_message(Bytes bytes) {
  const auto fragment = single_fragment(bytes);
  const bool is_whole = fragment && fragment->header.fragment_length == fragment->header.length;
  return is_whole ? fragment : std::nullopt;
}

namespace {

constexpr std::size_t kMaxName = 255;  // of ALPN, SNI and MKI

// Whether differences of two such times do not overflow.
bool is_in_range(Instant time) {
  constexpr Duration kBound = Duration::max() / 2;
  return time.time_since_epoch() <= kBound && time.time_since_epoch() >= -kBound;
}

bool is_message(const Buffer& bytes, HandshakeType type) {
  const auto message = whole_message(bytes);
  return message && message->header.type == type;
}

bool is_sound_numbers(const record::ReadNumbers& numbers) {
  return numbers.epoch <= record::kMaxEpoch &&
         numbers.received.size() <= ConfigOptions::kMaximumReplayWindow / 8 &&
         record::ReplayWindow::is_sound(numbers.next, numbers.received);
}

// Whether the peer has a certificate or raw public key.
bool has_fingerprint(const AcceptedPeer::Facts& peer) {
  return peer.info.credential == PeerCredential::certificate ||
         peer.info.credential == PeerCredential::raw_public_key;
}

bool is_sound_peer(const AcceptedPeer::Facts& peer) {
  const PeerInfo& info = peer.info;
  const bool has_psk = info.credential == PeerCredential::psk;
  if (!has_fingerprint(peer) && !has_psk && info.credential != PeerCredential::none) return false;
  if (peer.match) {
    const auto& [hash, value] = *peer.match;
    // AcceptedPeer keeps no second SHA-256.
    if (hash == HashAlgorithm::sha256 || value.empty()) return false;
    if (value.size() != crypto::hash_size(hash)) return false;
  }
  if (!has_fingerprint(peer) && (peer.match || info.signature_scheme)) return false;
  // Only chains are verified.
  if (info.verified_name && info.credential != PeerCredential::certificate) return false;
  const std::size_t hash = crypto::hash_size(HashAlgorithm::sha256);
  return info.certificate_fingerprint.size() == (has_fingerprint(peer) ? hash : 0) &&
         (has_psk || (info.psk_identity.empty() && !peer.psk)) &&
         info.psk_identity.size() <= UINT16_MAX &&
         (!info.verified_name || info.verified_name->size() <= message::kMaxHostName) &&
         is_in_range(info.authenticated_at);
}

bool is_sound_extensions(const handshake::AgreedExtensions& extensions) {
  const auto is_limit = [](std::uint16_t limit) {
    return limit >= kMinimumRecordSizeLimit && limit <= kMaximumRecordSizeLimit;
  };
  const auto is_type = [](std::optional<CertificateType> type) {
    return !type || type == CertificateType::x509 || type == CertificateType::raw_public_key;
  };
  const auto& limits = extensions.record_size_limits;
  const auto length = extensions.max_fragment_length;
  const bool is_length = length == message::MaxFragmentLength::none || message::is_allowed(length);
  const auto& names = *extensions.names;
  return (!limits || (is_limit(limits->ours) && is_limit(limits->peers))) && is_length &&
         is_type(extensions.client_certificate_type) &&
         is_type(extensions.server_certificate_type) && names.srtp_mki.size() <= kMaxName &&
         names.application_protocol.size() <= kMaxName && names.server_name.size() <= kMaxName;
}

bool are_sound_ids(const LiveConnectionIds& ids, bool speaks13) {
  const std::size_t size = ids.own.empty() ? 0 : ids.own.front().size();
  const auto is_id = [](const Buffer& id) { return !id.empty() && id.size() <= kMaxConnectionId; };
  // DTLS 1.2 has no messages for further ones.
  const std::size_t max_own = speaks13 ? record::ConnectionIds::kMaxOwn : 1;
  const std::size_t max_peers = speaks13 ? record::ConnectionIds::kMaxSpares + 1 : 1;
  // A request for more is answered by as many as are missing to kMaxSpares.
  const std::size_t max_to_end = ids.in_use + 1 + record::ConnectionIds::kMaxSpares;
  return (!ids.own.empty() || !ids.peers.empty()) && ids.own.size() <= max_own &&
         ids.own.size() <= max_to_end && ids.peers.size() <= max_peers &&
         ids.in_use < std::max<std::size_t>(ids.own.size(), 1) &&
         std::ranges::all_of(
             ids.own, [&](const Buffer& id) { return is_id(id) && id.size() == size; }) &&
         std::ranges::all_of(ids.peers, is_id);
}

bool is_sound12(const LiveSession& session, const LiveSession12& session12) {
  // Whether the Config has a suite of private use is checked when the session is restored.
  const bool is_own =
      static_cast<std::uint16_t>(session.cipher_suite) >= CipherSuite12::kFirstPrivateUse;
  if (!is_own && schedule::find12(session.cipher_suite) == nullptr) return false;
  if (session.read.epoch != wire::kFirstEncryptedEpoch12 ||
      session.write.epoch != wire::kFirstEncryptedEpoch12 ||
      session12.master.size() != schedule::MasterSecret::capacity()) {
    return false;
  }
  if (!session12.last_flight) return true;
  const auto& [next_plaintext, messages] = *session12.last_flight;
  return next_plaintext <= wire::kMaxSequenceNumber + 1 && !messages.empty() &&
         messages.size() <= 2 && is_message(messages.back(), HandshakeType::finished) &&
         (messages.size() == 1 || is_message(messages.front(), HandshakeType::new_session_ticket));
}

// A NewSessionTicket, RequestConnectionId and NewConnectionId, and after them a KeyUpdate.
bool are_sound_messages(std::span<const Buffer> sent, bool ends_in_key_update) {
  std::vector<HandshakeType> types;
  for (const Buffer& bytes : sent) {
    const auto message = whole_message(bytes);
    if (!message || handshake::contains(types, message->header.type)) return false;
    types.push_back(message->header.type);
  }
  if (ends_in_key_update) {
    if (types.empty() || types.back() != HandshakeType::key_update) return false;
    types.pop_back();
  }
  return std::ranges::all_of(types, [](HandshakeType type) {
    return type == HandshakeType::new_session_ticket ||
           type == HandshakeType::request_connection_id || type == HandshakeType::new_connection_id;
  });
}

bool is_sound_under_way(const LiveSession& session, const LiveSession13& session13) {
  const LiveSession13::MessagesUnderWay& under_way = *session13.under_way;
  if (under_way.is_acknowledged && (!under_way.key_update || under_way.sent.empty())) return false;
  if (!are_sound_messages(under_way.sent, under_way.key_update && !under_way.is_acknowledged)) {
    return false;
  }
  const bool has_own = session.connection_ids && !session.connection_ids->own.empty();
  const auto spares = under_way.spares_to_send;
  if ((under_way.is_renewal_due || spares) && !has_own) return false;
  if (spares.value_or(0) > record::ConnectionIds::kMaxSpares) return false;
  if (under_way.ids_to_request != 0 && !session13.awaits_ids) return false;
  return std::ranges::all_of(under_way.received, [](const LiveSession13::Fragment& fragment) {
    return single_fragment(fragment.bytes).has_value();
  });
}

bool is_sound13(const LiveSession& session, const LiveSession13& session13) {
  const std::size_t size = live_form::secret_size(session.cipher_suite);
  const auto is_secret = [&](const schedule::HashSecret& secret) {
    return size != 0 && secret.size() == size;
  };
  if (!is_secret(session13.client_secret) || !is_secret(session13.server_secret) ||
      !is_secret(session13.exporter) || (!session.group && !session13.psk) ||  // psk_ke
      session.read.epoch < wire::kFirstApplicationEpoch13 ||
      session.write.epoch < wire::kFirstApplicationEpoch13 ||
      session13.peers_next > LiveSession13::kUsedUp) {
    return false;
  }
  const auto& [psk, client, server, exporter, next, peers_next, awaits_ids, old_keys, under_way,
               resumption] = session13;
  if (old_keys &&
      (!is_secret(old_keys->secret) || !is_sound_numbers(old_keys->numbers) ||
       wire::value_of(old_keys->numbers.epoch) + 1 != wire::value_of(session.read.epoch))) {
    return false;
  }
  if (resumption && (!is_secret(resumption->secret) || session.role != Role::client ||
                     resumption->certificate.empty() == has_fingerprint(session.peer))) {
    return false;
  }
  if (awaits_ids && (!session.connection_ids || session.connection_ids->peers.empty())) {
    return false;
  }
  return !under_way || is_sound_under_way(session, session13);
}

}  // namespace

bool LiveSession::is_sound() const {
  if (tag.size() > kMaxSessionTag || !is_sound_peer(peer) || !is_sound_extensions(extensions) ||
      (connection_ids && !are_sound_ids(*connection_ids, speaks13())) ||
      (extensions.return_routability && !connection_ids) || !is_sound_numbers(read) ||
      write.epoch > record::kMaxEpoch || write.next > wire::kMaxSequenceNumber + 1) {
    return false;
  }
  if (const auto* session12 = std::get_if<LiveSession12>(&of_version)) {
    return is_sound12(*this, *session12);
  }
  return is_sound13(*this, std::get<LiveSession13>(of_version));
}

Buffer LiveSession::encode() const {
  if (!is_sound()) return {};
  live_form::Encoder measure;
  live_form::visit_fields(measure, *this);
  Buffer bytes;
  bytes.reserve(sizeof live_form::kFormat + live_form::kFlagsSize + measure.size());
  wire::Writer out(bytes, wire::Growth::refused);
  out.u8(live_form::kFormat);
  out.u24(live_form::flags_of(*this));
  live_form::Encoder encoder(&out);
  live_form::visit_fields(encoder, *this);
  return bytes;
}

Result<LiveSession> LiveSession::decode(Bytes bytes) {
  const auto error = [](const char* detail) {
    return tl::unexpected(Error{Errc::decode_error, {}, 0, detail});
  };
  wire::Reader reader(bytes);
  if (reader.u8() != live_form::kFormat) return error("session state: of another format");
  LiveSession session;
  if (!live_form::set_up(session, reader.u24())) return error("session state: flags");
  live_form::Decoder decoder(reader);
  live_form::visit_fields(decoder, session);
  if (!reader.complete()) return error("session state: of another length");
  if (!session.is_sound()) return error("session state: a value out of range");
  return session;
}

}  // namespace sluice::dtls::connection
