// RFC 9147 section 5.1: return routability by a HelloRetryRequest with a cookie, for which the
// server keeps nothing.
#include "conformance/dtls13/vocabulary.h"
#include "message/key_share.h"
#include "message/server_hello.h"
#include "support/hello_fields.h"
#include "support/listening_server.h"

namespace sluice::test {
namespace {

using dtls::NamedGroup;
using dtls::message::ServerHello;
using dtls::wire::ExtensionType;

const Buffer kHere = from_hex("7f000001 1234");
const Buffer kElsewhere = from_hex("7f000001 1235");

// What came back for one datagram, when it is one datagram.
Buffer reply_to(ListeningServer& server, Buffer datagram, const Buffer& address = kHere,
                Instant now = {}) {
  const auto replies = server.receive(std::move(datagram), address, now);
  EXPECT_EQ(replies.size(), 1U);
  return replies.empty() ? Buffer{} : replies.front();
}

Bytes body_of(const Buffer& datagram) {
  return Bytes(datagram).subspan(dtls::record::kHeaderSize12 + dtls::message::kHandshakeHeaderSize);
}

ServerHello retry_request(const Buffer& datagram) {
  const auto hello = ServerHello::decode(body_of(datagram));
  EXPECT_TRUE(hello && hello->random == dtls::message::kHelloRetryRequestRandom);
  return hello.value();
}

Buffer cookie_of(const Buffer& datagram) {
  return copy_of(retry_request(datagram).extensions.find(ExtensionType::cookie).value());
}

testing::AssertionResult is_alert(const Buffer& datagram, Alert alert) {
  const Buffer wanted = plaintext_record(
      ContentType::alert, std::array{std::byte{2}, static_cast<std::byte>(alert)}, 0);
  if (datagram.size() != wanted.size() || datagram[0] != wanted[0] ||
      !std::equal(datagram.end() - 2, datagram.end(), wanted.end() - 2)) {
    return testing::AssertionFailure() << to_hex(datagram);
  }
  return testing::AssertionSuccess();
}

dtls::ConfigOptions with_suite(dtls::CipherSuite suite) {
  dtls::ConfigOptions options = options13();
  options.cipher_suites = {suite};
  return options;
}

// The transcript goes on from the cookie: with a SHA-256 and a SHA-384 hash, with and without
// another group.
TEST(Rfc9147_5_1, AHandshakeGoesOnFromTheCookie) {
  for (const auto suite :
       {dtls::CipherSuite::aes_128_gcm_sha256, dtls::CipherSuite::aes_256_gcm_sha384}) {
    for (const auto group : {NamedGroup::x25519, NamedGroup::secp384r1}) {
      for (const std::size_t mtu : {std::size_t{1200}, dtls::kMinimumMtu}) {
        SCOPED_TRACE(to_string(suite));
        SCOPED_TRACE(to_string(group));
        SCOPED_TRACE(mtu);
        dtls::ConfigOptions options = with_suite(suite);
        options.mtu = mtu;
        Peer client = make_client(make_config(options));
        options.groups = {group};
        ListeningServer server(make_config(options));
        exchange(client, kHere, server);
        EXPECT_TRUE(works(client, kHere, server));
        EXPECT_EQ(server.listener.statistics().hello_retry_requests, 1U);
        EXPECT_EQ(server.listener.statistics().admissions, 1U);
        ASSERT_TRUE(client.connected);
        EXPECT_EQ(client.connected->group, group);
      }
    }
  }
}

// RFC 8446 section 4.1.4: "the minimal set of extensions".
TEST(Rfc8446_4_1_4, ARetryRequestAsksForAShareOnlyWhenThatIsMissing) {
  ListeningServer server(make_config(options13()));
  auto hello = hello_fields13();
  const Buffer reply = reply_to(server, datagram_of(hello));
  EXPECT_FALSE(retry_request(reply).extensions.has(ExtensionType::key_share));
  EXPECT_TRUE(retry_request(reply).extensions.has(ExtensionType::supported_versions));
  EXPECT_TRUE(retry_request(reply).session_id.empty());
  // Of P-256, which nobody has here.
  hello.extensions.set(ExtensionType::supported_groups, from_hex("0004 0017 0018"));
  hello.extensions.set(ExtensionType::key_share, from_hex("0000"));
  hello.extensions.set(ExtensionType{21}, Buffer(100));
  const Buffer asking_reply = reply_to(server, datagram_of(hello));
  const auto asking = retry_request(asking_reply);
  const auto group = dtls::message::decode_selected_group(
      asking.extensions.find(ExtensionType::key_share).value());
  EXPECT_EQ(group, NamedGroup::secp256r1);
}

// Section 4.2.8: each share is of a group in supported_groups.
TEST(Rfc8446_4_1_4, AShareOfAGroupThatIsNotListedIsNone) {
  ListeningServer server(make_config(options13()));
  auto hello = hello_fields13();  // its share is of X25519
  hello.extensions.set(ExtensionType::supported_groups, from_hex("0002 0017"));
  hello.extensions.set(ExtensionType{21}, Buffer(100));
  const Buffer reply = reply_to(server, datagram_of(hello));
  const auto asking = retry_request(reply);
  EXPECT_EQ(dtls::message::decode_selected_group(
                asking.extensions.find(ExtensionType::key_share).value()),
            NamedGroup::secp256r1);
}

// The client's timer asks for it again (section 3.1). Only the cookie differs: its number tells a
// client that asks anew from one that repeats its second ClientHello.
TEST(Rfc9147_3_1, TheSameHelloGetsAnotherCookieEachTime) {
  ListeningServer server(make_config(options13()));
  const Buffer hello = datagram_of(hello_fields13());
  const Buffer first = reply_to(server, hello);
  for (const Instant now : {Instant{}, Instant{59s}, Instant{61s}}) {
    const Buffer again = reply_to(server, hello, kHere, now);
    const Buffer cookie = cookie_of(again);
    EXPECT_NE(cookie, cookie_of(first));
    ASSERT_EQ(again.size(), first.size());
    const auto at = std::ranges::search(again, cookie).begin() - again.begin();
    EXPECT_TRUE(std::equal(again.begin(), again.begin() + at, first.begin()));
    const auto rest = at + static_cast<std::ptrdiff_t>(cookie.size());
    EXPECT_TRUE(std::equal(again.begin() + rest, again.end(), first.begin() + rest));
  }
}

TEST(Rfc9147_5_1, TheRepliesNumbersAreTheHellos) {
  ListeningServer server(make_config(options13()));
  const Buffer reply =
      reply_to(server, datagram_of(hello_fields13(), {.message_seq = 0, .record = 77}));
  EXPECT_EQ(dtls::record::Header12::decode(reply)->sequence, SequenceNumber{77});
  EXPECT_EQ(dtls::record::Header12::decode(reply)->version, ProtocolVersion::dtls12);
  dtls::wire::Reader reader(Bytes(reply).subspan(dtls::record::kHeaderSize12));
  EXPECT_EQ(dtls::message::HandshakeFragment::take(reader)->header.message_seq, MessageSeq{0});
}

// A cookie is good for one address, one hello, and not for long.
class Cookie : public testing::Test {
 protected:
  Cookie() {
    first_ = hello_fields13();
    second_ = first_;
    second_.extensions.set(ExtensionType::cookie,
                           cookie_of(reply_to(server_, datagram_of(first_))));
  }
  [[nodiscard]] Buffer second() const {
    return datagram_of(second_, {.message_seq = 1, .record = 1});
  }
  testing::AssertionResult is_refused(const Buffer& address = kHere, Instant now = {}) {
    const auto before = server_.listener.statistics().refused_cookies;
    const auto refused =
        is_alert(reply_to(server_, second(), address, now), Alert::illegal_parameter);
    if (!refused) return refused;
    if (server_.connection(address) != nullptr) return testing::AssertionFailure() << "admitted";
    if (server_.listener.statistics().refused_cookies != before + 1) {
      return testing::AssertionFailure() << "not counted";
    }
    return testing::AssertionSuccess();
  }
  testing::AssertionResult is_taken(const Buffer& address = kHere, Instant now = {}) {
    server_.receive(second(), address, now);
    Peer* peer = server_.connection(address);
    if (peer == nullptr) return testing::AssertionFailure() << "not admitted";
    if (peer->error) return testing::AssertionFailure() << to_string(*peer->error);
    return testing::AssertionSuccess();
  }

  ListeningServer server_{make_config(options13())};
  ClientHelloFields first_;
  ClientHelloFields second_;
};

TEST_F(Cookie, IsGoodForItsAddressAlone) {
  EXPECT_TRUE(is_refused(kElsewhere));
  EXPECT_TRUE(is_refused(from_hex("7f000001 12")));
  EXPECT_TRUE(is_refused(from_hex("7f000001 1234 00")));
  EXPECT_TRUE(is_refused(Buffer{}));
  EXPECT_TRUE(is_taken());
}

TEST_F(Cookie, IsGoodForOneLifetimeAtLeastAndTwoAtMost) {
  EXPECT_TRUE(is_refused(kHere, Instant{120s}));
}
TEST_F(Cookie, IsGoodUntilItsSecretGoes) { EXPECT_TRUE(is_taken(kHere, Instant{119s})); }
TEST_F(Cookie, IsNotGoodALongTimeAfter) { EXPECT_TRUE(is_refused(kHere, Instant{256 * 60s})); }

TEST_F(Cookie, NoBitOfItMayChange) {
  const auto extension =
      std::ranges::find(second_.extensions, ExtensionType::cookie, &Extension::type);
  // Behind the length of the vector.
  for (std::size_t bit = 16; bit < extension->data.size() * 8; ++bit) {
    extension->data[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
    ASSERT_TRUE(is_refused()) << bit;
    extension->data[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
  }
  EXPECT_TRUE(is_taken());
}

TEST_F(Cookie, OfAnyOtherSizeIsRefused) {
  for (const std::size_t size : {1U, 16U, 17U, 18U, 21U, 52U, 53U, 54U, 69U, 300U}) {
    SCOPED_TRACE(size);
    Buffer cookie = counted(size + 2);
    cookie[0] = std::byte(size >> 8);
    cookie[1] = std::byte(size & 0xff);
    second_.extensions.set(ExtensionType::cookie, cookie);
    EXPECT_TRUE(is_refused());
  }
}

TEST_F(Cookie, ThatIsMalformedIsADecodeError) {
  for (const char* data : {"", "00", "0000", "0002 aa", "0001 aabb"}) {
    SCOPED_TRACE(data);
    second_.extensions.set(ExtensionType::cookie, from_hex(data));
    EXPECT_TRUE(is_alert(reply_to(server_, second()), Alert::decode_error));
  }
}

TEST_F(Cookie, OfAnotherListenerIsRefused) {
  ListeningServer other(make_config(options13()));
  EXPECT_TRUE(is_alert(reply_to(other, second()), Alert::illegal_parameter));
}

// A cookie can't tell this; docs/dtls.md tells servers to look for a known connection first.
TEST_F(Cookie, IsGoodAgainWithinItsTime) {
  EXPECT_TRUE(is_taken());
  server_.connections.clear();
  EXPECT_TRUE(is_taken());
}

// RFC 8446 section 4.2.2: "Servers operating statelessly MUST ignore these records."
TEST_F(Cookie, ChangeCipherSpecBetweenTheHellosIsIgnored) {
  Buffer datagram = plaintext_record(ContentType::change_cipher_spec, std::array{std::byte{1}}, 1);
  EXPECT_TRUE(server_.receive(datagram, kHere).empty());
  const Buffer hello = second();
  datagram.insert(datagram.end(), hello.begin(), hello.end());
  EXPECT_EQ(server_.receive(datagram, kHere).size(), 1U);
  EXPECT_NE(server_.connection(kHere), nullptr);
}

// What can't lead to a handshake is refused at once, by the alert that a connection would send.
TEST(Rfc9147_5_1, AHelloThatCantSucceedGetsItsAlert) {
  ListeningServer server(make_config(options13()));
  const auto alert_for = [&](const std::function<void(ClientHelloFields&)>& edit, Alert alert) {
    auto hello = hello_fields13();
    edit(hello);
    return is_alert(reply_to(server, datagram_of(hello)), alert);
  };
  EXPECT_TRUE(alert_for([](auto& hello) { hello.extensions.remove(ExtensionType::key_share); },
                        Alert::missing_extension));
  EXPECT_TRUE(
      alert_for([](auto& hello) { hello.extensions.remove(ExtensionType::supported_groups); },
                Alert::missing_extension));
  EXPECT_TRUE(alert_for([](auto& hello) { hello.suites = {dtls::CipherSuite::aes_128_ccm_sha256}; },
                        Alert::handshake_failure));
  EXPECT_TRUE(alert_for([](auto& hello) { hello.cookie = counted(8); }, Alert::illegal_parameter));
  EXPECT_TRUE(
      alert_for([](auto& hello) { hello.extensions.remove(ExtensionType::supported_versions); },
                Alert::protocol_version));
  EXPECT_EQ(server.listener.statistics().alerts, 5U);
}

// "A server SHOULD limit the amount of data it sends toward a client address": here to what came.
TEST(Rfc9147_5_1, NoReplyIsLongerThanWhatCame) {
  ListeningServer server(make_config(options13()));
  // As short as a hello gets that has a share: answered at once.
  auto hello = hello_fields13();
  hello.suites.pop_back();
  hello.extensions.set(ExtensionType::supported_groups, from_hex("0002 001d"));
  EXPECT_EQ(server.receive(datagram_of(hello), kHere).size(), 1U);
  // Without one it says less than its answer: that comes with the client's repetition.
  hello.extensions.set(ExtensionType::key_share, from_hex("0000"));
  const Buffer small = datagram_of(hello);
  EXPECT_TRUE(server.receive(small, kHere).empty());
  const auto& statistics = server.listener.statistics();
  EXPECT_EQ(statistics.count(dtls::ListenerDiscard::reply_too_long), 1U);
  EXPECT_TRUE(server.receive(small, kElsewhere).empty()) << "each address counts for itself";
  const Buffer reply = reply_to(server, small);
  EXPECT_GT(reply.size(), small.size());
  EXPECT_LE(statistics.bytes_sent, statistics.bytes_received);
}

}  // namespace
}  // namespace sluice::test
