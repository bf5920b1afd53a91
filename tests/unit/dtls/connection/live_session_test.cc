// The form of a session that moves: its size, each field, and what is refused.
#include "connection/live_session.h"

#include <gtest/gtest.h>

#include "support/moving.h"
#include "support/suites.h"

namespace sluice::dtls {
namespace {

using connection::LiveSession;
using connection::LiveSession12;
using connection::LiveSession13;
using test::bytes_of;
using test::counted;
using test::export_of;
using test::MovingPair;
using test::must;

Buffer message_of(wire::HandshakeType type, std::size_t size) {
  Buffer bytes;
  EXPECT_TRUE(message::put_message(bytes, type, wire::MessageSeq{5},
                                   [&](wire::Writer& out) { out.bytes(Buffer(size)); }));
  return bytes;
}

// Sets each field of either version but those that exclude others.
LiveSession full(LiveSession session) {
  session.role = Role::client;
  session.tag = counted(32);
  session.group = NamedGroup::x25519;
  session.extensions.srtp_profile = SrtpProfile::aead_aes_128_gcm;
  session.extensions.record_size_limits = {512, 1024};
  session.extensions.client_certificate_type = CertificateType::raw_public_key;
  session.extensions.server_certificate_type = CertificateType::x509;
  session.extensions.max_fragment_length = message::MaxFragmentLength::bytes_2048;
  session.extensions.return_routability = true;
  session.extensions.names.edit().srtp_mki = counted(4);
  session.extensions.names.edit().application_protocol = "coap";
  session.extensions.names.edit().server_name = "server.example";
  session.policy.value.fill(std::byte{7});
  session.peer.info = {.credential = PeerCredential::certificate,
                       .certificate_fingerprint = counted(32),
                       .signature_scheme = SignatureScheme::ed25519,
                       .verified_name = "peer.example",
                       .authenticated_at = Instant(Duration(0x123456789a))};
  session.peer.match = Fingerprint{HashAlgorithm::sha384, counted(48)};
  session.peer.valid_until = Instant(Duration(0x223456789a));
  session.read.next = 1000;
  session.read.received = test::from_hex("f10001");
  session.read.forgeries = 3;
  session.write.next = 77;
  session.send_limit = 0x0003000000001000;
  return session;
}

LiveSession full12() {
  LiveSession session;
  session.connection_ids = {{counted(8)}, 0, {counted(9)}};
  session.cipher_suite = CipherSuite::psk_with_aes_128_ccm_8;
  session.read.epoch = session.write.epoch = wire::kFirstEncryptedEpoch12;
  LiveSession12 session12;
  session12.extended_master_secret = true;
  session12.resumed = true;
  session12.randoms.client.fill(std::byte{1});
  session12.randoms.server.fill(std::byte{2});
  session12.master = schedule::MasterSecret(counted(48));
  session12.peers_next = wire::MessageSeq{4};
  session12.last_flight = {9,
                           {message_of(wire::HandshakeType::new_session_ticket, 100),
                            message_of(wire::HandshakeType::finished, 12)}};
  session.of_version = std::move(session12);
  return full(std::move(session));
}

LiveSession full13() {
  LiveSession session;
  session.connection_ids = {
      {counted(8), Buffer(8), Buffer(8, std::byte{1})}, 1, {counted(1), counted(20)}};
  session.cipher_suite = CipherSuite::aes_128_gcm_sha256;
  session.read.epoch = session.write.epoch = wire::Epoch{7};
  LiveSession13 session13;
  session13.psk = schedule::PskKind::resumption;
  session13.client_secret = schedule::HashSecret(counted(32));
  session13.server_secret = schedule::HashSecret(counted(31 + 1));
  session13.exporter = schedule::HashSecret(Buffer(32, std::byte{5}));
  session13.next = wire::MessageSeq{6};
  session13.peers_next = LiveSession13::kUsedUp;
  session13.awaits_ids = true;
  session13.old_keys = {schedule::HashSecret(Buffer(32, std::byte{6})),
                        {wire::Epoch{6}, 5, test::from_hex("1f"), 0}};
  session13.old_keys->numbers.received = test::from_hex("f5");
  session13.under_way = LiveSession13::MessagesUnderWay{};
  session13.under_way->key_update = true;
  session13.under_way->sent = {message_of(wire::HandshakeType::new_session_ticket, 60),
                               message_of(wire::HandshakeType::new_connection_id, 12),
                               message_of(wire::HandshakeType::key_update, 1)};
  session13.under_way->ids_to_request = 4;
  session13.under_way->spares_to_send = 8;
  session13.under_way->is_renewal_due = true;
  session13.under_way->received = {
      {wire::Epoch{7}, message_of(wire::HandshakeType::new_session_ticket, 3)}};
  session13.resumption = {schedule::HashSecret(Buffer(32, std::byte{8})), counted(300)};
  session.of_version = std::move(session13);
  return full(std::move(session));
}

// With other credentials, and what excludes one of them.
LiveSession by_raw_public_key() {
  LiveSession session = full13();
  session.peer.info.credential = PeerCredential::raw_public_key;
  session.peer.info.verified_name.reset();
  session.peer.valid_until = Instant::max();
  return session;
}

LiveSession by_psk() {
  LiveSession session = full13();
  session.group.reset();  // psk_ke
  session.peer = {};
  session.peer.info = {.credential = PeerCredential::psk,
                       .psk_identity = counted(16),
                       .authenticated_at = Instant(Duration(5))};
  session.peer.psk.emplace().fill(std::byte{9});
  std::get<LiveSession13>(session.of_version).psk = schedule::PskKind::external;
  std::get<LiveSession13>(session.of_version).resumption->certificate.clear();
  return session;
}

std::array<LiveSession, 4> full_sessions() {
  return {full12(), full13(), by_raw_public_key(), by_psk()};
}

TEST(LiveSessionForm, ComesBackWithEachField) {
  for (const auto& session : full_sessions()) {
    const Buffer bytes = session.encode();
    ASSERT_FALSE(bytes.empty());
    const auto decoded = LiveSession::decode(bytes);
    ASSERT_TRUE(decoded) << to_string(decoded.error());
    EXPECT_EQ(decoded->encode(), bytes);
    EXPECT_EQ(decoded->tag, session.tag);
    EXPECT_EQ(decoded->connection_ids, session.connection_ids);
    EXPECT_EQ(decoded->read, session.read);
    EXPECT_EQ(decoded->write, session.write);
    EXPECT_EQ(decoded->send_limit, session.send_limit);
    EXPECT_EQ(decoded->group, session.group);
    EXPECT_EQ(decoded->peer.psk, session.peer.psk);
    EXPECT_EQ(decoded->peer.info.credential, session.peer.info.credential);
    EXPECT_EQ(decoded->peer.info.certificate_fingerprint,
              session.peer.info.certificate_fingerprint);
    EXPECT_EQ(decoded->peer.info.psk_identity, session.peer.info.psk_identity);
    EXPECT_EQ(decoded->peer.match, session.peer.match);
    EXPECT_EQ(decoded->peer.valid_until, session.peer.valid_until);
    const auto& extensions = decoded->extensions;
    EXPECT_EQ(extensions.names->server_name, "server.example");
    EXPECT_EQ(extensions.client_certificate_type, CertificateType::raw_public_key);
    EXPECT_EQ(extensions.server_certificate_type, CertificateType::x509);
    EXPECT_EQ(extensions.max_fragment_length, message::MaxFragmentLength::bytes_2048);
    EXPECT_TRUE(extensions.return_routability);
  }
}

TEST(LiveSessionForm, TruncatedBytesAreRefused) {
  for (const auto& session : full_sessions()) {
    Buffer bytes = session.encode();
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      const auto decoded = LiveSession::decode(Bytes(bytes).first(size));
      ASSERT_FALSE(decoded) << size;
      EXPECT_EQ(decoded.error().code, Errc::decode_error);
    }
    bytes.push_back(std::byte{0});
    EXPECT_FALSE(LiveSession::decode(bytes)) << "a byte too many";
  }
}

TEST(LiveSessionForm, OtherFormatsAreRefused) {
  Buffer bytes = full12().encode();
  for (unsigned format = 0; format < 256; ++format) {
    bytes[0] = static_cast<std::byte>(format);
    const auto decoded = LiveSession::decode(bytes);
    EXPECT_EQ(decoded.has_value(), format == 1) << format;
    if (decoded) continue;
    EXPECT_EQ(decoded.error().detail.view(), "session state: of another format");
  }
}

// A value is refused or it is one of the form, which encodes it in the same way.
TEST(LiveSessionForm, AlteredBytesAreRefusedOrAnotherSession) {
  for (const auto& session : full_sessions()) {
    const Buffer bytes = session.encode();
    for (std::size_t at = 0; at < bytes.size(); ++at) {
      for (unsigned bit = 0; bit < 8; ++bit) {
        Buffer altered = bytes;
        altered[at] ^= std::byte{1} << bit;
        const auto decoded = LiveSession::decode(altered);
        if (!decoded) continue;
        EXPECT_EQ(decoded->encode(), altered) << at << " " << bit;
      }
    }
  }
}

// The same of real sessions, which are restored and used: nothing breaks.
TEST(LiveSessionForm, AnAlteredStateIsRefusedOrRestored) {
  for (const auto version : {ProtocolVersion::dtls12, ProtocolVersion::dtls13}) {
    MovingPair moving(test::options_for(version));
    moving.connect();
    const SessionState state = must(export_of(moving.pair.server));
    for (std::size_t at = 0; at < state.bytes().size(); ++at) {
      Buffer altered(state.bytes().begin(), state.bytes().end());
      altered[at] ^= std::byte{0x41};
      auto parsed = SessionState::parse(altered);
      if (!parsed) continue;
      auto restored = Connection::restore(moving.server_config, test::environment(),
                                          std::move(*parsed), test::kPath, {});
      if (!restored) continue;
      test::Peer peer(std::move(*restored));
      peer.receive(moving.pair.client.seal(bytes_of("data")), {});
      Buffer out(200);
      static_cast<void>(peer.connection().seal(bytes_of("data"), out));
      static_cast<void>(peer.connection().close({}));
      peer.take_datagrams();
    }
  }
}

template <class Change>
bool is_refused(LiveSession session, Change change) {
  change(session);
  return session.encode().empty();
}

TEST(LiveSessionForm, ValuesThatNoSessionHasAreRefused) {
  EXPECT_TRUE(is_refused(full12(), [](auto& s) { s.tag = counted(33); }));
  EXPECT_TRUE(is_refused(full12(), [](auto& s) { s.cipher_suite = CipherSuite{0x1301}; }));
  EXPECT_TRUE(is_refused(full12(), [](auto& s) { s.read.epoch = wire::Epoch{2}; }));
  EXPECT_TRUE(is_refused(full12(), [](auto& s) { s.write.next = (1ULL << 48) + 1; }));
  EXPECT_TRUE(is_refused(full12(), [](auto& s) { s.read.next = (1ULL << 48) + 1; }));
  EXPECT_TRUE(is_refused(full12(), [](auto& s) { s.read.received = Buffer(1025); }));
  EXPECT_TRUE(is_refused(full12(), [](auto& s) { s.read.received = test::from_hex("01ff"); }));
  EXPECT_TRUE(is_refused(full12(), [](auto& s) { s.read.received = test::from_hex("02"); }));
  EXPECT_TRUE(is_refused(full12(), [](auto& s) { s.extensions.record_size_limits = {63, 64}; }));
  EXPECT_TRUE(is_refused(full12(), [](auto& s) { s.peer.info.certificate_fingerprint.clear(); }));
  EXPECT_TRUE(is_refused(full12(), [](auto& s) { s.peer.match->hash = HashAlgorithm::sha256; }));
  EXPECT_TRUE(is_refused(full12(), [](auto& s) { s.peer.match->value.clear(); }));
  EXPECT_TRUE(is_refused(full12(), [](auto& s) {
    std::get<LiveSession12>(s.of_version).last_flight->messages.clear();
  }));
  EXPECT_TRUE(is_refused(full12(), [](auto& s) {
    std::get<LiveSession12>(s.of_version).last_flight->messages.back().pop_back();
  }));
  EXPECT_TRUE(is_refused(full13(), [](auto& s) { s.cipher_suite = CipherSuite{0x1302}; }));
  EXPECT_TRUE(is_refused(full13(), [](auto& s) {
    s.group.reset();
    std::get<LiveSession13>(s.of_version).psk.reset();
  }));
  EXPECT_TRUE(is_refused(full13(), [](auto& s) { s.peer.psk.emplace(); })) << "with a certificate";
  EXPECT_TRUE(is_refused(
      full13(), [](auto& s) { s.extensions.max_fragment_length = message::MaxFragmentLength{5}; }));
  for (const auto member : {&handshake::AgreedExtensions::client_certificate_type,
                            &handshake::AgreedExtensions::server_certificate_type}) {
    EXPECT_TRUE(is_refused(full13(), [&](auto& s) { s.extensions.*member = CertificateType{1}; }));
  }
  EXPECT_TRUE(is_refused(by_raw_public_key(), [](auto& s) { s.peer.info.verified_name = ""; }));
  EXPECT_TRUE(is_refused(by_raw_public_key(), [](auto& s) {
    std::get<LiveSession13>(s.of_version).resumption->certificate.clear();
  }));
  EXPECT_TRUE(is_refused(by_psk(), [](auto& s) {
    std::get<LiveSession13>(s.of_version).resumption->certificate = counted(1);
  }));
  EXPECT_TRUE(is_refused(full13(), [](auto& s) { s.role = Role::server; })) << "resumption";
  EXPECT_TRUE(is_refused(full13(), [](auto& s) { s.write.epoch = wire::Epoch{2}; }));
  // More than the message_seq of KeyUpdates lead to.
  EXPECT_TRUE(is_refused(full13(), [](auto& s) { s.write.epoch = wire::Epoch{3 + (1U << 16)}; }));
  EXPECT_TRUE(is_refused(full13(), [](auto& s) {
    s.read.epoch = wire::Epoch{3 + (1U << 16)};
    std::get<LiveSession13>(s.of_version).old_keys->numbers.epoch = wire::Epoch{2 + (1U << 16)};
  }));
  EXPECT_TRUE(is_refused(full13(), [](auto& s) {
    std::get<LiveSession13>(s.of_version).old_keys->numbers.epoch = wire::Epoch{5};
  }));
  EXPECT_TRUE(is_refused(full13(), [](auto& s) {
    std::get<LiveSession13>(s.of_version).under_way->is_acknowledged = true;
  }));
  EXPECT_TRUE(is_refused(
      full13(), [](auto& s) { std::get<LiveSession13>(s.of_version).under_way->sent.pop_back(); }));
  EXPECT_TRUE(is_refused(full13(), [](auto& s) {
    std::get<LiveSession13>(s.of_version).resumption->certificate.clear();
  }));
}

TEST(LiveSessionForm, ReturnRoutabilityNeedsConnectionIds) {
  EXPECT_TRUE(is_refused(full12(), [](auto& s) { s.connection_ids.reset(); }));
  EXPECT_TRUE(is_refused(full13(), [](auto& s) {
    s.connection_ids.reset();
    std::get<LiveSession13>(s.of_version).under_way.reset();
    std::get<LiveSession13>(s.of_version).awaits_ids = false;
  }));
}

TEST(LiveSessionForm, ConnectionIdsThatNoSessionHasAreRefused) {
  EXPECT_TRUE(is_refused(full12(), [](auto& s) { s.connection_ids.emplace(); })) << "no IDs";
  EXPECT_TRUE(is_refused(full12(), [](auto& s) { s.connection_ids->in_use = 1; }));
  EXPECT_TRUE(is_refused(full12(), [](auto& s) { s.connection_ids->own.push_back(counted(8)); }));
  EXPECT_TRUE(is_refused(full12(), [](auto& s) { s.connection_ids->peers.push_back(counted(8)); }));
  EXPECT_TRUE(is_refused(full13(), [](auto& s) { s.connection_ids->in_use = 3; }));
  EXPECT_TRUE(is_refused(full13(), [](auto& s) { s.connection_ids->own[1] = counted(7); }));
  EXPECT_TRUE(is_refused(full13(), [](auto& s) { s.connection_ids->peers[1].clear(); }));
  EXPECT_TRUE(is_refused(full13(), [](auto& s) { s.connection_ids->peers[1] = Buffer(256); }));
  EXPECT_TRUE(is_refused(full13(), [](auto& s) { s.connection_ids->own.resize(17, Buffer(8)); }));
  // A peer gets at most eight that it has not used: no answer to a request may add to more.
  const auto with_unused = [](std::size_t unused) {
    return [=](auto& s) {
      s.connection_ids->own.resize(16, Buffer(8));
      s.connection_ids->in_use = static_cast<std::uint8_t>(15 - unused);
    };
  };
  EXPECT_FALSE(is_refused(full13(), with_unused(8)));
  EXPECT_TRUE(is_refused(full13(), with_unused(9)));
  EXPECT_TRUE(is_refused(full13(), with_unused(15)));
  EXPECT_TRUE(is_refused(full13(), [](auto& s) { s.connection_ids->peers.resize(10, Buffer(8)); }));
  EXPECT_TRUE(is_refused(full13(), [](auto& s) { s.connection_ids.reset(); }));
  EXPECT_TRUE(is_refused(full13(), [](auto& s) { s.connection_ids->peers.clear(); }));
  EXPECT_TRUE(is_refused(full13(), [](auto& s) {
    std::get<LiveSession13>(s.of_version).awaits_ids = false;
  })) << "a request that waits";
  EXPECT_TRUE(is_refused(full13(), [](auto& s) {
    std::get<LiveSession13>(s.of_version).under_way->spares_to_send = 9;
  }));
  EXPECT_TRUE(is_refused(full13(), [](auto& s) {
    auto& sent = std::get<LiveSession13>(s.of_version).under_way->sent;
    sent.insert(sent.begin(), sent[1]);
  })) << "two of a kind";
}

// A device with a PSK: identity of 16 bytes, a tag, CIDs of 8 bytes, a window full of gaps.
TEST(LiveSessionForm, HasAtMost256BytesForADevice) {
  MovingPair moving(test::options_for_suite(CipherSuite::psk_with_aes_128_ccm_8));
  moving.connect();
  auto& [client, server] = moving.pair;
  for (int i = 0; i < 1000; ++i) {
    const Buffer record = client.seal(bytes_of("data"));
    if (i % 2 == 0) server.receive(record, {});
    server.seal(bytes_of("data"));
  }
  const Buffer tag = counted(kMaxSessionTag);
  const SessionState state = must(export_of(server, {.tag = tag}));
  LiveSession session = must(LiveSession::decode(state.bytes()));
  session.connection_ids = {{counted(8)}, 0, {counted(8)}};
  const std::size_t size = session.encode().size();
  RecordProperty("bytes_with_tag", static_cast<int>(size));
  EXPECT_LE(size, 256U + kMaxSessionTag);
  session.tag.clear();
  RecordProperty("bytes", static_cast<int>(session.encode().size()));
  EXPECT_LE(session.encode().size(), 256U);
}

}  // namespace
}  // namespace sluice::dtls
