#include "handshake/stored_session.h"

#include "wire/reader.h"
#include "wire/writer.h"

namespace sluice::dtls {

namespace handshake {
namespace {

// Of the encoding: others are refused, so that a store may outlive a release.
constexpr std::uint8_t kFormat = 2;

}  // namespace

Buffer StoredSession::encode() const {
  Buffer bytes;
  // At once, so that no secret is left in memory that was outgrown.
  bytes.reserve(64 + secret.size() + peer_certificate.size() + server_name.size() + ticket.size());
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
  const Bytes ticket = reader.vector16();
  session.ticket.assign(ticket.begin(), ticket.end());
  if (!reader.complete() || secret.empty()) return std::nullopt;
  return session;
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
