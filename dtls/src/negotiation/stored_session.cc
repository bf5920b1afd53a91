#include "negotiation/stored_session.h"

#include <algorithm>
#include <array>

#include "message/handshake_fragment.h"
#include "message/new_session_ticket13.h"
#include "message/server_name.h"
#include "negotiation/config_rules.h"
#include "negotiation/peer_certificate.h"
#include "schedule/keys12.h"
#include "wire/reader.h"
#include "wire/writer.h"

namespace sluice::dtls {

namespace handshake {
namespace {

// The format of the encoding. Others are refused, so that a store may outlive a release.
constexpr std::uint8_t kFormat = 7;

// Computes an upper bound of the bytes that Encoder writes.
class Measure {
 public:
  void operator()(const PeerIdentity& identity) { visit_fields(*this, identity); }
  void operator()(const schedule::HashSecret& secret) { add(secret.size()); }
  void operator()(const Buffer& buffer) { add(buffer.size()); }
  void operator()(const std::string& text) { add(text.size()); }
  template <class Field>
  void operator()(const std::optional<Field>& field) {
    add(0);
    if (field) (*this)(*field);
  }
  void operator()(const PolicyId& id) { (*this)(id.value); }
  template <std::size_t Size>
  void operator()(const std::array<std::byte, Size>& /*bytes*/) {
    add(Size);
  }
  template <class Number>
  void operator()(const Number& /*number*/) {
    add(0);
  }
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  void add(std::size_t contents) { size_ += sizeof(std::uint64_t) + contents; }
  std::size_t size_ = 0;
};

class Encoder {
 public:
  explicit Encoder(wire::Writer& out) : out_(out) {}

  void operator()(const PeerIdentity& identity) { visit_fields(*this, identity); }
  void operator()(const schedule::HashSecret& secret) {
    const auto vector = out_.vector8({.min = 1, .max = schedule::HashSecret::capacity()});
    out_.bytes(secret.bytes());
  }
  void operator()(const Buffer& buffer) {
    const auto vector = out_.vector24();
    out_.bytes(buffer);
  }
  void operator()(const std::string& text) {
    const auto vector = out_.vector16();
    out_.bytes(std::as_bytes(std::span(text)));
  }
  template <class Field>
  void operator()(const std::optional<Field>& field) {
    out_.u8(field ? 1 : 0);
    if (field) (*this)(*field);
  }
  void operator()(const PolicyId& id) { (*this)(id.value); }
  template <std::size_t Size>
  void operator()(const std::array<std::byte, Size>& bytes) {
    out_.bytes(bytes);
  }
  void operator()(Instant time) { (*this)(time.time_since_epoch()); }
  void operator()(Duration time) { out_.u64(static_cast<std::uint64_t>(time.count())); }
  void operator()(std::uint32_t number) { out_.u32(number); }
  template <class Code>
    requires std::is_enum_v<Code>
  void operator()(Code code) {
    out_.code(code);
  }

 private:
  wire::Writer& out_;
};

class Decoder {
 public:
  explicit Decoder(wire::Reader& reader) : reader_(reader) {}

  void operator()(PeerIdentity& identity) { visit_fields(*this, identity); }
  void operator()(schedule::HashSecret& secret) {
    secret = schedule::HashSecret(reader_.vector8());  // empty when too long
  }
  void operator()(Buffer& buffer) {
    const Bytes bytes = reader_.vector24();
    buffer.assign(bytes.begin(), bytes.end());
  }
  void operator()(std::string& text) {
    const Bytes bytes = reader_.vector16();
    text.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  template <class Field>
  void operator()(std::optional<Field>& field) {
    const std::uint8_t is_present = reader_.u8();
    if (is_present > 1) return reader_.fail();
    if (is_present == 1) (*this)(field.emplace());
  }
  void operator()(PolicyId& id) { (*this)(id.value); }
  template <std::size_t Size>
  void operator()(std::array<std::byte, Size>& bytes) {
    std::ranges::copy(reader_.bytes(Size), bytes.begin());
  }
  void operator()(Instant& time) {
    Duration since{};
    (*this)(since);
    time = Instant(since);
  }
  void operator()(Duration& time) { time = Duration(static_cast<std::int64_t>(reader_.u64())); }
  void operator()(std::uint32_t& number) { number = reader_.u32(); }
  template <class Code>
    requires std::is_enum_v<Code>
  void operator()(Code& code) {
    code = reader_.code<Code>();
  }

 private:
  wire::Reader& reader_;
};

schedule::HashSecret copy_of(const schedule::HashSecret& secret) { return secret.clone(); }
template <class Field>
Field copy_of(const Field& field) {
  return field;
}

// The size of a secret of this version and suite; empty when the suite is not of the version.
std::optional<std::size_t> secret_size(ProtocolVersion version, CipherSuite suite) {
  if (version == ProtocolVersion::dtls13) {
    const auto* parameters = schedule::find13(suite);
    if (parameters == nullptr) return std::nullopt;
    return crypto::hash_size(parameters->hash);
  }
  // Whether the Config has a suite of private use is checked when the session is resumed.
  const bool is_own = static_cast<std::uint16_t>(suite) >= CipherSuite12::kFirstPrivateUse;
  const bool is_of_12 = is_own || schedule::find12(suite) != nullptr;
  if (version != ProtocolVersion::dtls12 || !is_of_12) return std::nullopt;
  return schedule::MasterSecret::capacity();  // RFC 5246 section 8.1
}

// Whether differences of two such times do not overflow.
bool is_in_range(Instant time) {
  constexpr Duration kBound = Duration::max() / 2;
  return time.time_since_epoch() <= kBound && time.time_since_epoch() >= -kBound;
}

bool is_within_bounds(const PeerIdentity& peer) {
  const bool is_named = !peer.verified_name || peer.verified_name->size() <= message::kMaxHostName;
  return peer.is_consistent() && peer.credential.size() <= message::kMaxBody && is_named &&
         is_in_range(peer.authenticated_at);
}

}  // namespace

bool StoredSession::is_sound() const {
  const bool is_secret_of_suite =
      !secret.empty() && secret_size(version, cipher_suite) == secret.size();
  const bool is_bounded = lifetime > Duration::zero() &&
                          lifetime <= message::NewSessionTicket13::kMaxLifetime &&
                          is_in_range(issued) && server_name.size() <= message::kMaxHostName;
  const bool is_length = max_fragment_length == message::MaxFragmentLength::none ||
                         message::is_allowed(max_fragment_length);
  return is_secret_of_suite && is_bounded && is_length && is_within_bounds(peer) &&
         session_id.size() <= wire::kMaxSessionId && ticket.size() <= kMaxTicket;
}

Buffer StoredSession::encode() const {
  if (!is_sound()) return {};
  Measure measure;
  visit_fields(measure, *this);
  Buffer bytes;
  bytes.reserve(sizeof kFormat + measure.size());
  wire::Writer out(bytes, wire::Growth::refused);
  out.u8(kFormat);
  Encoder encoder(out);
  visit_fields(encoder, *this);
  return bytes;
}

std::optional<StoredSession> StoredSession::decode(Bytes bytes) {
  wire::Reader reader(bytes);
  if (reader.u8() != kFormat) return std::nullopt;
  StoredSession session;
  Decoder decoder(reader);
  visit_fields(decoder, session);
  if (!reader.complete() || !session.is_sound()) return std::nullopt;
  return session;
}

std::optional<ResumableSession> to_resumable(StoredSession&& session) {
  if (!session.is_sound()) return std::nullopt;
  return ResumableSession(std::make_shared<const StoredSession>(std::move(session)));
}

StoredSession StoredSession::clone() const {
  StoredSession copy;
  std::apply(
      [&](auto&... to) {
        std::apply([&](const auto&... from) { ((to = copy_of(from)), ...); }, fields_of(*this));
      },
      fields_of(copy));
  return copy;
}

namespace {

const PreSharedKey* find_psk(const ConfigOptions& config, Bytes identity) {
  const auto& known = config.pre_shared_keys;
  const auto found = std::ranges::find_if(
      known, [&](const PreSharedKey& key) { return std::ranges::equal(key.identity(), identity); });
  return found != known.end() ? &*found : nullptr;
}

// A key behind a question is not known here. It may have been withdrawn or replaced, so the caller
// is to judge each connection that its sessions resume.
bool is_judged_by_caller(const ConfigOptions& config) {
  return config.ask_for_psk && config.ask_about_connection;
}

bool is_psk_unknown(const PeerIdentity& peer, const ConfigOptions& config) {
  return peer.is_by_psk() && find_psk(config, peer.credential) == nullptr &&
         !is_judged_by_caller(config);
}

}  // namespace

void StoredSession::limit_lifetime(const ConfigOptions& config) {
  if (is_psk_unknown(peer, config)) lifetime = Duration::zero();
  const Instant last = peer.resumable_until(config);
  if (last < expires()) lifetime = std::max(saturating_difference(last, issued), Duration::zero());
}

namespace {

// Whether the PSK was neither withdrawn nor replaced. One behind a question is the caller's to
// judge.
bool is_psk_valid(const PeerIdentity& peer, const ConfigOptions& config, crypto::Library& library) {
  const PreSharedKey* known = find_psk(config, peer.credential);
  return known != nullptr ? peer.is_by(library, *known) : config.ask_for_psk;
}

// RFC 6066 section 4: a length applies to resumed sessions, too, so it is that of the session. A
// server that has not agreed on the client's may still not do so.
bool has_length_of(const StoredSession& session, Role role, const Context& context) {
  return session.max_fragment_length == context.terms.max_fragment_length ||
         (role == Role::client && session.max_fragment_length == message::MaxFragmentLength::none);
}

bool is_by_certificate(const PeerIdentity& peer) {
  return peer.has_certificate() || peer.proof == PeerProof::certificate_fingerprint;
}

bool has_accepted_type(const PeerIdentity& peer, const ConfigOptions& config) {
  const bool is_by_raw_public_key =
      peer.has_raw_public_key() || peer.proof == PeerProof::raw_public_key_fingerprint;
  return (!is_by_certificate(peer) || accepts(config, CertificateType::x509)) &&
         (!is_by_raw_public_key || accepts(config, CertificateType::raw_public_key));
}

// A resumed handshake does not show the chain again, so its verification must have been for the
// name that is expected now.
bool is_verified_enough(const PeerIdentity& peer, Role role, const ConfigOptions& config) {
  if (!verifies_chain(config) || !is_by_certificate(peer)) return true;
  const std::string expected = role == Role::client ? expected_name(config) : std::string();
  return peer.verified_name == expected;
}

}  // namespace

Result<std::optional<PskDigest>> known_psk_digest(crypto::Library& library,
                                                  const ConfigOptions& config, Bytes identity) {
  const PreSharedKey* known = find_psk(config, identity);
  if (known == nullptr) return std::nullopt;
  return psk_digest(library, identity, known->key()).map([](const PskDigest& digest) {
    return std::optional(digest);
  });
}

bool is_still_accepted(const PeerIdentity& peer, Role role, const ConfigOptions& config,
                       crypto::Library& library) {
  if (peer.is_by_psk() && !is_psk_valid(peer, config, library)) return false;
  // A server that requires certificates now does not continue the session of an anonymous client.
  const bool needs_proof = role == Role::client || requires_certificate(config);
  return has_accepted_type(peer, config) && (peer.proof != PeerProof::none || !needs_proof) &&
         is_verified_enough(peer, role, config);
}

bool may_resume(const StoredSession& session, ProtocolVersion version, Role role,
                const Context& context) {
  const PeerIdentity& peer = session.peer;
  const Instant now = context.now;
  const bool is_alive = now >= session.issued && now < session.expires() &&
                        now >= peer.authenticated_at && now < peer.resumable_until(context.config);
  if (!is_alive || peer.policy != context.peer.policy) return false;
  // Nothing checks a certificate of which only the fingerprint was kept.
  if (peer.proof == PeerProof::certificate_fingerprint ||
      peer.proof == PeerProof::raw_public_key_fingerprint || is_psk_unknown(peer, context.config)) {
    return false;
  }
  return session.version == version && session.server_name == context.terms.server_name &&
         has_length_of(session, role, context) &&
         is_still_accepted(peer, role, context.config, context.library);
}

void resume_peer(Context& context, const PeerIdentity& identity, Role role) {
  Peer& peer = context.peer;
  peer.identity = identity;
  peer.is_resumed = true;
  if (!identity.has_certificate() && !identity.has_raw_public_key()) return;
  if (role == Role::client || asks_for_certificate(context.config)) {
    peer.chain.push_back(identity.credential);
    return;
  }
  peer.identity = {.policy = identity.policy, .authenticated_at = identity.authenticated_at};
}

Result<Buffer> seal_session(crypto::Library& library, TicketKeys& keys,
                            const StoredSession& session, Instant now) {
  Buffer plaintext = session.encode();
  if (plaintext.empty()) return Buffer{};
  auto ticket = keys.seal(library, plaintext, now);
  cleanse(plaintext);
  if (ticket && ticket->size() > StoredSession::kMaxTicket) return Buffer{};
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
  auto resumable = session ? handshake::to_resumable(std::move(*session)) : std::nullopt;
  if (!resumable) return tl::unexpected(Error{Errc::decode_error, {}, 0, "session"});
  return *std::move(resumable);
}

Buffer ResumableSession::serialize() const { return session_->encode(); }
ProtocolVersion ResumableSession::version() const { return session_->version; }
Instant ResumableSession::expires() const { return session_->expires(); }
PeerInfo ResumableSession::peer() const { return handshake::PeerIdentity(session_->peer).info(); }

}  // namespace sluice::dtls
