#include "negotiation/stored_session.h"

#include "negotiation/peer_certificate.h"

#include <array>

#include "wire/reader.h"
#include "wire/writer.h"

namespace sluice::dtls {

namespace handshake {
namespace {

// Of the encoding: others are refused, so that a store may outlive a release.
constexpr std::uint8_t kFormat = 3;

}  // namespace

Buffer StoredSession::encode() const {
  Buffer bytes;
  // At once, so that no secret is left in memory that was outgrown.
  bytes.reserve(64 + secret.size() + peer_certificate.size() + server_name.size() +
                session_id.size() + ticket.size());
  wire::Writer out(bytes);
  out.u8(kFormat);
  out.code(version);
  out.code(cipher_suite);
  {
    const auto vector = out.vector8();
    out.bytes(secret.bytes());
  }
  out.u64(static_cast<std::uint64_t>(issued.time_since_epoch().count()));
  out.u64(static_cast<std::uint64_t>(lifetime.count()));
  out.u32(age_add);
  out.u8(is_peer_authenticated_by_psk ? 1 : 0);
  {
    const auto vector = out.vector24();
    out.bytes(peer_certificate);
  }
  {
    const auto vector = out.vector8();
    out.bytes(std::as_bytes(std::span(server_name)));
  }
  {
    const auto vector = out.vector8();
    out.bytes(session_id);
  }
  out.u8(verified_name ? 1 : 0);
  {
    const auto vector = out.vector8();
    if (verified_name) out.bytes(std::as_bytes(std::span(*verified_name)));
  }
  const auto vector = out.vector16();
  out.bytes(ticket);
  return bytes;
}

std::optional<StoredSession> StoredSession::decode(Bytes bytes) {
  wire::Reader reader(bytes);
  StoredSession session;
  if (reader.u8() != kFormat) return std::nullopt;
  session.version = reader.code<ProtocolVersion>();
  session.cipher_suite = reader.code<CipherSuite>();
  const Bytes secret = reader.vector8();
  if (secret.size() > schedule::HashSecret::capacity()) return std::nullopt;
  session.secret = schedule::HashSecret(secret);
  session.issued = Instant(Duration(static_cast<std::int64_t>(reader.u64())));
  session.lifetime = Duration(static_cast<std::int64_t>(reader.u64()));
  session.age_add = reader.u32();
  session.is_peer_authenticated_by_psk = reader.u8() != 0;
  const Bytes certificate = reader.vector24();
  session.peer_certificate.assign(certificate.begin(), certificate.end());
  const Bytes name = reader.vector8();
  session.server_name.assign(reinterpret_cast<const char*>(name.data()), name.size());
  const Bytes session_id = reader.vector8();
  session.session_id.assign(session_id.begin(), session_id.end());
  const bool is_verified = reader.u8() != 0;
  const Bytes verified = reader.vector8();
  if (is_verified) {
    session.verified_name.emplace(reinterpret_cast<const char*>(verified.data()), verified.size());
  }
  const Bytes ticket = reader.vector16();
  session.ticket.assign(ticket.begin(), ticket.end());
  if (!reader.complete() || secret.empty() || session_id.size() > wire::kMaxSessionId) {
    return std::nullopt;
  }
  return session;
}

StoredSession StoredSession::clone() const {
  StoredSession copy;
  copy.version = version;
  copy.cipher_suite = cipher_suite;
  copy.secret = secret.clone();
  copy.issued = issued;
  copy.lifetime = lifetime;
  copy.age_add = age_add;
  copy.is_peer_authenticated_by_psk = is_peer_authenticated_by_psk;
  copy.peer_certificate = peer_certificate;
  copy.verified_name = verified_name;
  copy.server_name = server_name;
  copy.session_id = session_id;
  copy.ticket = ticket;
  return copy;
}

namespace {

// Whether a chain that has to be verified was, by the name that is expected now. It isn't shown
// again.
bool is_verified_enough(const StoredSession& session, Role role, const ConfigOptions& config) {
  if (!verifies_chain(config) || session.peer_certificate.empty()) return true;
  return session.verified_name == (role == Role::client ? expected_name(config) : std::string());
}

}  // namespace

bool may_resume(const StoredSession& session, ProtocolVersion version, Role role,
                const Context& context) {
  const bool is_alive = context.now >= session.issued && context.now < session.expires();
  const bool shows_who = !session.peer_certificate.empty() || session.is_peer_authenticated_by_psk;
  // A server that now wants to know its clients doesn't take one that it hasn't known.
  const bool must_show = role == Role::client || requires_certificate(context.config);
  return session.version == version && is_alive && session.server_name == context.server_name &&
         (shows_who || !must_show) && is_verified_enough(session, role, context.config);
}

void authenticate_by(Context& context, const KnownPeer& peer, Role role) {
  const bool shows_certificate =
      !peer.certificate.empty() && (role == Role::client || asks_for_certificate(context.config));
  if (shows_certificate) {
    context.keep_peer_chain(std::array{peer.certificate});
    context.verified_name = peer.verified_name;
  } else {
    context.is_peer_authenticated_by_psk = peer.is_authenticated_by_psk;
  }
}

Result<Buffer> seal_session(crypto::Library& library, TicketKeys& keys,
                            const StoredSession& session, Instant now) {
  Buffer plaintext = session.encode();
  auto ticket = keys.seal(library, plaintext, now);
  cleanse(plaintext);
  return ticket;
}

Result<std::optional<OpenedTicket>> open_ticket(Context& context, Bytes ticket) {
  const ConfigOptions& config = context.config;
  if (config.resumption != Resumption::tickets || !config.ticket_keys) return std::nullopt;
  auto opened = config.ticket_keys->open(context.library, ticket, context.now);
  if (!opened) return forward_error(opened);
  auto session = StoredSession::decode(opened->session);
  cleanse(opened->session);
  if (!session) return std::nullopt;
  return OpenedTicket{std::move(*session), opened->is_old};
}

}  // namespace handshake

Result<ResumableSession> ResumableSession::parse(Bytes serialized) {
  auto session = handshake::StoredSession::decode(serialized);
  if (!session) return tl::unexpected(Error{Errc::decode_error, {}, 0, "session"});
  return ResumableSession(std::make_shared<const handshake::StoredSession>(std::move(*session)));
}

Buffer ResumableSession::serialize() const { return session_->encode(); }
ProtocolVersion ResumableSession::version() const { return session_->version; }
Instant ResumableSession::expires() const { return session_->expires(); }

}  // namespace sluice::dtls
