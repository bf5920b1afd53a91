// A stored session is encoded, decoded and cloned field by field. A field that were left out would
// be lost in silence, so these tests set each and compare each.
#include "negotiation/stored_session.h"

#include <gtest/gtest.h>

#include <utility>

#include "support/bytes.h"

namespace sluice::dtls::handshake {
namespace {

using test::counted;

StoredSession full_session() {
  StoredSession session;
  session.version = ProtocolVersion::dtls13;
  session.cipher_suite = CipherSuite::aes_128_gcm_sha256;
  session.secret = schedule::HashSecret(counted(32));
  session.issued = Instant(Duration(0x0102030405060708));
  session.lifetime = Duration(0x1112131415161718);
  session.age_add = 0x21222324;
  session.peer = {.proof = PeerProof::certificate,
                  .credential = counted(300),
                  .verified_name = "peer.example",
                  .policy = PolicyId{0x31323334},
                  .authenticated_at = Instant(Duration(0x4142434445464748))};
  session.server_name = "server.example";
  session.session_id = counted(32);
  session.ticket = counted(70);
  return session;
}

// Fields are compared by their values; secrets have no operator for that.
template <class Field>
bool are_equal(const Field& a, const Field& b) {
  return a == b;
}
template <std::size_t kCapacity>
bool are_equal(const Secret<kCapacity>& a, const Secret<kCapacity>& b) {
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
  EXPECT_EQ(equal_fields(full_session().peer, PeerIdentity{}), 0U);
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
  session.secret = schedule::HashSecret(counted(48));
  const auto decoded = StoredSession::decode(session.encode());
  ASSERT_TRUE(decoded);
  EXPECT_EQ(equal_fields(*decoded, session), kFields);
  session.peer.verified_name = "";
  EXPECT_EQ(StoredSession::decode(session.encode())->peer, session.peer);
}

// Another block would stay in memory with the secret.
TEST(StoredSession, IsEncodedInOneBlock) {
  const Buffer bytes = full_session().encode();
  EXPECT_LE(bytes.size(), bytes.capacity());
  EXPECT_GE(bytes.capacity(), 32U + 300U + 70U);
}

TEST(StoredSession, RefusesWhatItDidNotWrite) {
  Buffer bytes = full_session().encode();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(StoredSession::decode(Bytes(bytes).first(size))) << size;
  }
  bytes.push_back(std::byte{0});
  EXPECT_FALSE(StoredSession::decode(bytes)) << "a byte too many";
  bytes.pop_back();
  bytes[0] = std::byte{3};
  EXPECT_FALSE(StoredSession::decode(bytes)) << "an earlier format";
}

TEST(StoredSession, RefusesFieldsThatDoNotFit) {
  const auto refused = [](auto change) {
    StoredSession session = full_session();
    change(session);
    return !StoredSession::decode(session.encode());
  };
  EXPECT_TRUE(refused([](StoredSession& session) { session.secret = {}; }));
  EXPECT_TRUE(refused([](StoredSession& session) { session.session_id = counted(33); }));
  EXPECT_TRUE(refused([](StoredSession& session) { session.peer.proof = PeerProof::none; }));
  EXPECT_TRUE(refused([](StoredSession& session) { session.peer.proof = PeerProof{4}; }));
  EXPECT_TRUE(refused([](StoredSession& session) { session.peer.credential.clear(); }));
  EXPECT_TRUE(refused(
      [](StoredSession& session) { session.peer.proof = PeerProof::certificate_fingerprint; }));
  EXPECT_FALSE(refused([](StoredSession& session) { session.peer.verified_name.reset(); }));
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
