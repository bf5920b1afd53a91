// A stored session is encoded, decoded and cloned field by field. A field that were left out would
// be lost in silence, so these tests set each and compare each.
#include "negotiation/stored_session.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "support/bytes.h"
#include "support/endpoints.h"

namespace sluice::dtls::handshake {
namespace {

using test::counted;

StoredSession full_session() {
  StoredSession session;
  session.version = ProtocolVersion::dtls13;
  session.cipher_suite = CipherSuite::aes_128_gcm_sha256;
  session.secret = schedule::HashSecret(counted(32));
  session.issued = Instant(Duration(0x0102030405060708));
  session.lifetime = Duration(0x1112131415);
  session.age_add = 0x21222324;
  session.peer = {.proof = PeerProof::certificate,
                  .credential = counted(300),
                  .certificate_hash = crypto::Sha256{std::byte{1}},
                  .psk = {},
                  .verified_name = "peer.example",
                  .signature_scheme = SignatureScheme::ed25519,
                  .policy = {},
                  .authenticated_at = Instant(Duration(0x2142434445464748)),
                  .valid_until = Instant(Duration(0x5152535455565758))};
  std::ranges::copy(counted(32), session.peer.policy.value.begin());
  session.server_name = "server.example";
  session.group = NamedGroup::x25519;
  session.max_fragment_length = message::MaxFragmentLength::bytes_2048;
  session.session_id = counted(32);
  session.ticket = counted(70);
  return session;
}

// Fields are compared by their values; secrets have no operator for that.
template <class Field>
bool are_equal(const Field& a, const Field& b) {
  return a == b;
}
template <std::size_t Capacity>
bool are_equal(const Secret<Capacity>& a, const Secret<Capacity>& b) {
  return std::ranges::equal(a.bytes(), b.bytes());
}

// The number of the fields that `predicate` holds for.
template <class Predicate, class Fields>
std::size_t count_fields(const Fields& a, const Fields& b, Predicate predicate) {
  return std::apply(
      [&](const auto&... of_a) {
        return std::apply(
            [&](const auto&... of_b) {
              return (std::size_t{0} + ... + (predicate(of_a, of_b) ? 1 : 0));
            },
            fields_of(b));
      },
      fields_of(a));
}
template <class Fields>
std::size_t equal_fields(const Fields& a, const Fields& b) {
  return count_fields(a, b, [](const auto& x, const auto& y) { return are_equal(x, y); });
}

constexpr std::size_t kFields =
    std::tuple_size_v<decltype(fields_of(std::declval<StoredSession&>()))>;

TEST(StoredSession, EachFieldIsSetByThisTest) {
  EXPECT_EQ(equal_fields(full_session(), StoredSession{}), 0U);
  // A PSK's digest does not go with a certificate.
  EXPECT_EQ(equal_fields(full_session().peer, PeerIdentity{}), 1U);
  EXPECT_EQ(full_session().peer.psk, PskDigest{});
}

TEST(StoredSession, AClonedOneHasEachField) {
  const StoredSession session = full_session();
  EXPECT_EQ(equal_fields(session.clone(), session), kFields);
}

TEST(StoredSession, ADecodedOneHasEachField) {
  const StoredSession session = full_session();
  const auto decoded = StoredSession::decode(session.encode());
  ASSERT_TRUE(decoded);
  EXPECT_EQ(equal_fields(*decoded, session), kFields);
}

TEST(StoredSession, OptionalFieldsMayBeEmpty) {
  StoredSession session;
  session.version = ProtocolVersion::dtls12;
  session.cipher_suite = CipherSuite::psk_with_aes_128_ccm_8;
  session.secret = schedule::HashSecret(counted(48));
  session.lifetime = Duration(1);
  const auto decoded = StoredSession::decode(session.encode());
  ASSERT_TRUE(decoded);
  EXPECT_EQ(equal_fields(*decoded, session), kFields);
  session.peer.verified_name = "";
  EXPECT_EQ(StoredSession::decode(session.encode())->peer, session.peer);
}

TEST(StoredSession, APskGoesWithItsDigestAndNothingElseDoes) {
  StoredSession session = full_session();
  std::ranges::copy(counted(16), session.peer.psk.begin());
  EXPECT_FALSE(StoredSession::decode(session.encode())) << "a certificate";
  session.peer.proof = PeerProof::external_psk;
  EXPECT_FALSE(StoredSession::decode(session.encode())) << "a certificate's hash";
  session.peer.certificate_hash.reset();
  const auto decoded = StoredSession::decode(session.encode());
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->peer, session.peer);
  EXPECT_EQ(equal_fields(session.clone(), session), kFields);
}

TEST(StoredSession, RefusesWhatItDidNotWrite) {
  Buffer bytes = full_session().encode();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(StoredSession::decode(Bytes(bytes).first(size))) << size;
  }
  bytes.push_back(std::byte{0});
  EXPECT_FALSE(StoredSession::decode(bytes)) << "a byte too many";
  bytes.pop_back();
  bytes[0] = std::byte{5};
  EXPECT_FALSE(StoredSession::decode(bytes)) << "an earlier format";
}

// An encoding whose bytes at `at` are replaced.
std::optional<StoredSession> decoded_with(std::size_t at, std::string_view hex) {
  Buffer bytes = full_session().encode();
  std::ranges::copy(test::from_hex(hex), bytes.begin() + static_cast<std::ptrdiff_t>(at));
  return StoredSession::decode(bytes);
}

// Bytes from a file or a store may be anything: what is decoded can be resumed or is refused.
TEST(StoredSession, RefusesValuesThatNoHandshakeMakes) {
  constexpr std::size_t kVersion = 1;
  constexpr std::size_t kSuite = 3;
  constexpr std::size_t kIssued = 6 + 32;
  constexpr std::size_t kLifetime = kIssued + 8;
  constexpr std::size_t kProof = kLifetime + 8 + 4;
  constexpr std::size_t kHasHash = kProof + 1 + 3 + 300;
  constexpr std::size_t kIsVerified = kHasHash + 1 + 32 + 16;
  constexpr std::size_t kAuthenticatedAt = kIsVerified + 1 + 2 + 12 + 2 + 32;
  ASSERT_TRUE(decoded_with(kSuite, "1301"));
  EXPECT_TRUE(decoded_with(kSuite, "1303")) << "of the same hash";
  EXPECT_FALSE(decoded_with(kSuite, "1302")) << "SHA-384 has other secrets";
  EXPECT_FALSE(decoded_with(kSuite, "c02b")) << "of DTLS 1.2";
  EXPECT_FALSE(decoded_with(kSuite, "1399")) << "unknown";
  EXPECT_FALSE(decoded_with(kVersion, "fefd")) << "1301 is not of DTLS 1.2";
  EXPECT_FALSE(decoded_with(kVersion, "fefd c02b")) << "a master secret has 48 bytes";
  EXPECT_FALSE(decoded_with(kVersion, "feff"));
  EXPECT_FALSE(decoded_with(kVersion, "0000"));
  EXPECT_FALSE(decoded_with(kLifetime, "0000000000000000"));
  EXPECT_FALSE(decoded_with(kLifetime, "ffffffffffffffff")) << "negative";
  EXPECT_FALSE(decoded_with(kLifetime, "7fffffffffffffff")) << "above 7 days";
  EXPECT_FALSE(decoded_with(kIssued, "7fffffffffffffff"));
  EXPECT_FALSE(decoded_with(kIssued, "8000000000000000"));
  EXPECT_FALSE(decoded_with(kAuthenticatedAt, "7fffffffffffffff"));
  EXPECT_FALSE(decoded_with(kAuthenticatedAt, "8000000000000000"));
  EXPECT_FALSE(decoded_with(kProof, "06"));
  ASSERT_TRUE(decoded_with(kHasHash, "01"));
  EXPECT_FALSE(decoded_with(kHasHash, "02"));
  ASSERT_TRUE(decoded_with(kIsVerified, "01"));
  EXPECT_FALSE(decoded_with(kIsVerified, "02"));
}

TEST(StoredSession, TheEndOfTimeIsNotPassed) {
  StoredSession session = full_session();
  session.issued = Instant::max() - Duration(5);
  session.lifetime = Duration(6);
  EXPECT_EQ(session.expires(), Instant::max());
  session.issued = Instant::min() + Duration(5);
  session.lifetime = Duration(-6);
  EXPECT_EQ(session.expires(), Instant::min());
}

TEST(SaturatingTime, StopsAtTheEnds) {
  constexpr Instant kStart{};
  constexpr Duration kOne{1};
  EXPECT_EQ(saturating_add(kStart, kOne), kStart + kOne);
  EXPECT_EQ(saturating_add(kStart, -kOne), kStart - kOne);
  EXPECT_EQ(saturating_add(Instant::max() - kOne, kOne), Instant::max());
  EXPECT_EQ(saturating_add(Instant::max(), kOne), Instant::max());
  EXPECT_EQ(saturating_add(Instant::min(), -kOne), Instant::min());
  EXPECT_EQ(saturating_add(Instant::min(), Duration::min()), Instant::min());
  EXPECT_EQ(saturating_add(Instant::min(), Duration::max()), Instant(-kOne));
  EXPECT_EQ(saturating_difference(kStart + kOne, kStart), kOne);
  EXPECT_EQ(saturating_difference(kStart, kStart + kOne), -kOne);
  EXPECT_EQ(saturating_difference(Instant::max(), Instant(-kOne)), Duration::max());
  EXPECT_EQ(saturating_difference(Instant::max(), Instant::min()), Duration::max());
  EXPECT_EQ(saturating_difference(Instant::min(), Instant(kOne)), Duration::min());
  EXPECT_EQ(saturating_difference(Instant::min(), Instant::max()), Duration::min());
  EXPECT_EQ(saturating_difference(Instant::min(), kStart), Duration::min());
  EXPECT_EQ(saturating_difference(Instant(-kOne), Instant::min()), Duration::max());
}

TEST(StoredSession, RefusesFieldsThatDoNotFit) {
  const auto refused = [](auto change) {
    StoredSession session = full_session();
    change(session);
    return !StoredSession::decode(session.encode());
  };
  EXPECT_TRUE(refused([](StoredSession& session) { session.secret = {}; }));
  EXPECT_TRUE(refused([](StoredSession& session) { session.session_id = counted(33); }));
  EXPECT_TRUE(refused(
      [](StoredSession& session) { session.max_fragment_length = message::MaxFragmentLength{5}; }));
  EXPECT_TRUE(refused([](StoredSession& session) { session.peer.proof = PeerProof::none; }));
  EXPECT_TRUE(refused([](StoredSession& session) { session.peer.proof = PeerProof{6}; }));
  EXPECT_TRUE(refused([](StoredSession& session) { session.peer.credential.clear(); }));
  EXPECT_TRUE(refused([](StoredSession& session) {
    session.peer.proof = PeerProof::certificate_fingerprint;
    session.peer.certificate_hash.reset();
  }));
  EXPECT_TRUE(refused([](StoredSession& session) {
    session.peer.proof = PeerProof::certificate_fingerprint;
    session.peer.credential = counted(32);
  }));
  EXPECT_FALSE(refused([](StoredSession& session) { session.peer.verified_name.reset(); }));
}

TEST(StoredSession, ADecodedOneIsSound) {
  Buffer bytes = full_session().encode();
  ASSERT_TRUE(StoredSession::decode(bytes));
  bytes[3] ^= std::byte{0xff};  // the cipher suite, after the format and the version
  EXPECT_FALSE(StoredSession::decode(bytes));
}

TEST(StoredSession, AnOptionalFieldIsThereOrIsNot) {
  StoredSession session = full_session();
  const Buffer with_name = session.encode();
  session.peer.verified_name.reset();
  Buffer without = session.encode();
  const auto flag = std::ranges::mismatch(without, with_name).in1;
  ASSERT_EQ(*flag, std::byte{0});
  *flag = std::byte{2};
  EXPECT_FALSE(StoredSession::decode(without));
}

TEST(StoredSession, AnIssuedTicketHasABound) {
  TicketKeys keys;
  const auto size_with = [&](std::size_t credential) {
    StoredSession session = full_session();
    session.peer.credential = counted(credential);
    return test::must(seal_session(test::environment().library(), keys, session, {})).size();
  };
  EXPECT_GT(size_with(30'000), 30'000U);
  EXPECT_EQ(size_with(StoredSession::kMaxTicket), 0U);
}

// A ClientHello must have room for it.
TEST(StoredSession, ATicketHasABound) {
  StoredSession session = full_session();
  session.ticket = counted(StoredSession::kMaxTicket);
  EXPECT_TRUE(StoredSession::decode(session.encode()));
  session.ticket.push_back(std::byte{0});
  EXPECT_FALSE(StoredSession::decode(session.encode()));
}

}  // namespace
}  // namespace sluice::dtls::handshake
