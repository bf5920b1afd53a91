#include <array>

#include "connection/live_session.h"
#include "message/new_session_ticket13.h"
#include "negotiation/cookie.h"
#include "negotiation/stored_session.h"
#include "support/encoding_values.h"
#include "support/encodings.h"
#include "support/endpoints.h"

namespace sluice::test {
namespace {

using namespace dtls;
using handshake::PeerProof;
using handshake::StoredSession;
using schedule::HashSecret;

constexpr std::uint64_t kMaxName = 255;
constexpr std::uint64_t kMaxCredential = 0xffffff;
constexpr std::uint64_t kMaxTicket = StoredSession::kMaxTicket;
constexpr Duration kMaxLifetime = message::NewSessionTicket13::kMaxLifetime;

StoredSession session_of(ProtocolVersion version, CipherSuite suite, std::uint64_t secret) {
  StoredSession session;
  session.version = version;
  session.cipher_suite = suite;
  session.secret = HashSecret(filler(secret));
  session.lifetime = std::chrono::hours{1};
  return session;
}
StoredSession small_session() {
  return session_of(ProtocolVersion::dtls13, CipherSuite::aes_128_gcm_sha256, 32);
}

bool is_same_value(const HashSecret& a, const HashSecret& b) {
  return are_same(a.bytes(), b.bytes());
}
template <class Field>
bool is_same_value(const Field& a, const Field& b) {
  return a == b;
}

bool are_equal(const StoredSession& a, const StoredSession& b) {
  return std::apply(
      [&](const auto&... of_a) {
        return std::apply([&](const auto&... of_b) { return (... && is_same_value(of_a, of_b)); },
                          fields_of(b));
      },
      fields_of(a));
}

EncodingOutcome round_trip_of(const StoredSession& session) {
  const Buffer bytes = session.encode();
  const auto decoded = StoredSession::decode(bytes);
  if (bytes.empty()) return decoded ? EncodingOutcome::differs : EncodingOutcome::refused;
  return decoded && are_equal(*decoded, session) ? EncodingOutcome::same : EncodingOutcome::differs;
}

// server name, session ID, ticket, lifetime in us
EncodingOutcome session_fields(Sizes s) {
  StoredSession session = small_session();
  session.server_name = text(s[0]);
  session.session_id = copy_of(filler(s[1]));
  session.ticket = copy_of(filler(s[2]));
  session.lifetime = Duration(s[3]);
  return round_trip_of(session);
}

// certificate, verified name
EncodingOutcome session_certificate(Sizes s) {
  StoredSession session = small_session();
  session.peer.proof = PeerProof::certificate;
  session.peer.credential = copy_of(filler(s[0]));
  session.peer.verified_name = text(s[1]);
  return round_trip_of(session);
}

handshake::PeerIdentity by_psk(Bytes identity) {
  return must(handshake::PeerIdentity::of_psk(environment().library(), identity, filler(32)));
}

EncodingOutcome session_psk(Sizes s) {
  StoredSession session = small_session();
  session.peer = by_psk(filler(s[0]));
  return round_trip_of(session);
}

EncodingOutcome session_fingerprint(Sizes s) {
  StoredSession session = small_session();
  session.peer.proof = PeerProof::certificate_fingerprint;
  session.peer.credential = copy_of(filler(s[0]));
  return round_trip_of(session);
}

// The size of the secret with each suite of the version.
template <ProtocolVersion Version, CipherSuite Suite>
EncodingOutcome session_secret(Sizes s) {
  return round_trip_of(session_of(Version, Suite, s[0]));
}
template <std::uint64_t Size>
bool is_size(Sizes s) {
  return s[0] == Size;
}

// The time, as a number of us that may be negative.
EncodingOutcome session_times(Sizes s) {
  StoredSession session = small_session();
  session.issued = Instant(Duration(static_cast<std::int64_t>(s[0])));
  session.peer.authenticated_at = Instant(Duration(-static_cast<std::int64_t>(s[1])));
  return round_trip_of(session);
}
constexpr std::uint64_t kMaxTime = static_cast<std::uint64_t>(Duration::max().count() / 2);

// What a server seals, and opens again.
EncodingOutcome sealed_session(Sizes s) {
  static TicketKeys keys;
  StoredSession session = small_session();
  session.peer = by_psk(filler(s[0]));
  auto& library = environment().library();
  const Buffer ticket = must(handshake::seal_session(library, keys, session, {}));
  if (ticket.empty()) return EncodingOutcome::refused;
  const auto opened = must(keys.open(library, ticket, {}));
  const auto decoded = StoredSession::decode(opened.session);
  return decoded && are_equal(*decoded, session) ? EncodingOutcome::same : EncodingOutcome::differs;
}
// The bytes of a ticket beside the PSK identity.
std::uint64_t beside_identity() {
  static TicketKeys keys;
  StoredSession session = small_session();
  session.peer = by_psk({});
  return must(handshake::seal_session(environment().library(), keys, session, {})).size();
}

// tag, PSK identity, server name
EncodingOutcome session_state(Sizes s) {
  connection::LiveSession session;
  session.cipher_suite = CipherSuite::psk_with_aes_128_ccm_8;
  session.tag = copy_of(filler(s[0]));
  session.peer.info.credential = PeerCredential::psk;
  session.peer.info.psk_identity = copy_of(filler(s[1]));
  session.extensions.names.edit().server_name = text(s[2]);
  session.read.epoch = session.write.epoch = wire::kFirstEncryptedEpoch12;
  std::get<connection::LiveSession12>(session.of_version).master =
      schedule::MasterSecret(filler(48));
  const Buffer bytes = session.encode();
  const auto decoded = connection::LiveSession::decode(bytes);
  if (bytes.empty()) return decoded ? EncodingOutcome::differs : EncodingOutcome::refused;
  const bool is_same = decoded && decoded->tag == session.tag &&
                       decoded->peer.info.psk_identity == session.peer.info.psk_identity &&
                       decoded->extensions.names->server_name == text(s[2]) &&
                       decoded->encode() == bytes;
  return is_same ? EncodingOutcome::same : EncodingOutcome::differs;
}

// content, address
EncodingOutcome cookie(Sizes s) {
  auto& library = environment().library();
  static auto jar = must(handshake::CookieJar::make(library, std::chrono::minutes{1}));
  const handshake::CookieBinding binding{ProtocolVersion::dtls13, filler(s[1]), filler(32)};
  Buffer bytes;
  wire::Writer out(bytes);
  if (!jar.put(library, out, filler(s[0]), binding)) {
    return bytes.empty() ? EncodingOutcome::refused : EncodingOutcome::differs;
  }
  const auto opened = jar.open(library, bytes, binding);
  const bool is_same = opened && *opened && are_same((**opened).content, filler(s[0]));
  return is_same ? EncodingOutcome::same : EncodingOutcome::differs;
}

}  // namespace

std::span<const Encoding> stored_encodings() {
  static const std::uint64_t kMaxSealed = kMaxTicket - beside_identity();
  static const std::vector<Encoding> kEncodings{
      {"stored session",
       {kMaxName, 32, kMaxTicket, static_cast<std::uint64_t>(kMaxLifetime.count())},
       [](Sizes s) {
         return s[0] <= kMaxName && s[1] <= 32 && s[2] <= kMaxTicket && s[3] > 0 &&
                Duration(s[3]) <= kMaxLifetime;
       },
       session_fields},
      {"stored session, certificate",
       {kMaxCredential, kMaxName},
       [](Sizes s) { return s[0] > 0 && s[0] <= kMaxCredential && s[1] <= kMaxName; },
       session_certificate},
      {"stored session, PSK identity",
       {kMaxCredential},
       [](Sizes s) { return s[0] <= kMaxCredential; },
       session_psk},
      {"stored session, fingerprint", {32}, is_size<32>, session_fingerprint},
      {"stored session, secret of DTLS 1.2",
       {48},
       is_size<48>,
       session_secret<ProtocolVersion::dtls12, CipherSuite::psk_with_aes_128_ccm_8>},
      {"stored session, secret of an own suite",
       {48},
       is_size<48>,
       session_secret<ProtocolVersion::dtls12, CipherSuite{0xff01}>},
      {"stored session, secret with SHA-256",
       {32},
       is_size<32>,
       session_secret<ProtocolVersion::dtls13, CipherSuite::chacha20_poly1305_sha256>},
      {"stored session, secret with SHA-384",
       {48},
       is_size<48>,
       session_secret<ProtocolVersion::dtls13, CipherSuite::aes_256_gcm_sha384>},
      {"stored session, suite of another version",
       {48},
       [](Sizes) { return false; },
       session_secret<ProtocolVersion::dtls12, CipherSuite::aes_256_gcm_sha384>},
      {"stored session, suite of another version",
       {32},
       [](Sizes) { return false; },
       session_secret<ProtocolVersion::dtls13, CipherSuite::psk_with_aes_128_ccm_8>},
      {"stored session, unknown version",
       {48},
       [](Sizes) { return false; },
       session_secret<ProtocolVersion::dtls10, CipherSuite::psk_with_aes_128_ccm_8>},
      {"stored session, times",
       {kMaxTime, kMaxTime},
       [](Sizes s) { return s[0] <= kMaxTime && s[1] <= kMaxTime; },
       session_times},
      {"session state",
       {kMaxSessionTag, 65535, kMaxName},
       [](Sizes s) { return s[0] <= kMaxSessionTag && s[1] <= 65535 && s[2] <= kMaxName; },
       session_state},
      {"ticket", {kMaxSealed}, [](Sizes s) { return s[0] <= kMaxSealed; }, sealed_session},
      {"cookie", {255, 255}, [](Sizes s) { return s[0] <= 255 && s[1] <= 255; }, cookie}};
  return kEncodings;
}

}  // namespace sluice::test
