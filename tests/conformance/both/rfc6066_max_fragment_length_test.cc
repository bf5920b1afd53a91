// The largest contents of records that a client asks for, in both versions (RFC 6066 section 4, RFC
// 8449 section 5).
#include "support/connections.h"
#include "support/resumption.h"

namespace sluice::test {
namespace {

using dtls::Alert;
using dtls::Buffer;
using dtls::Bytes;
using dtls::ConfigOptions;
using dtls::Errc;

constexpr std::uint16_t kExtension = 1;

class FragmentLengthHook : public dtls::HelloHook {
 public:
  explicit FragmentLengthHook(Buffer data) : data_(std::move(data)) {}
  void on_sending(dtls::OutgoingHello& hello) const override {
    std::erase_if(hello.extensions, [](const auto& other) { return other.type == kExtension; });
    hello.extensions.push_back({kExtension, data_});
  }

 private:
  Buffer data_;
};

class Rfc6066Section4 : public ByVersion {
 protected:
  static ConfigOptions asking(std::optional<std::size_t> length) {
    ConfigOptions asking = options();
    asking.max_fragment_length = length;
    return asking;
  }
  static ConfigOptions saying(const char* data) {
    ConfigOptions saying = options();
    saying.hello_hook = std::make_shared<FragmentLengthHook>(from_hex(data));
    return saying;
  }
  static Pair met(const ConfigOptions& client, const ConfigOptions& server = options()) {
    Pair pair(client, server);
    pair.run();
    return pair;
  }
  // What a length leaves to application data: DTLS 1.3 counts their type (RFC 8446 section 5.4).
  static std::size_t contents(std::size_t length) { return length - (is13() ? 1 : 0); }
};
INSTANTIATE_TEST_SUITE_P(Versions, Rfc6066Section4, both_versions(), name_of_version);

// "The allowed values for this field are: 2^9, 2^10, 2^11, and 2^12".
TEST_P(Rfc6066Section4, AServerAcceptsEachLengthAndBothSidesKeepToIt) {
  for (const std::size_t length : {512U, 1024U, 2048U, 4096U}) {
    Pair pair = met(asking(length));
    ASSERT_TRUE(works(pair));
    for (const auto& [from, to] :
         {std::pair{&pair.client, &pair.server}, std::pair{&pair.server, &pair.client}}) {
      EXPECT_EQ(from->connected->max_application_data, contents(length));
      Buffer out(5000);
      EXPECT_FALSE(from->connection().seal(counted(contents(length) + 1), out));
      to->receive(from->seal(counted(contents(length))), {});
      EXPECT_EQ(to->data.back(), counted(contents(length)));
    }
  }
}

TEST_P(Rfc6066Section4, WithoutTheExtensionThereIsNoLimit) {
  Pair pair = met(options());
  ASSERT_TRUE(works(pair));
  EXPECT_EQ(pair.client.connected->max_application_data, dtls::kMaxApplicationData);
}

// "MUST immediately begin fragmenting messages (including handshake messages)".
TEST_P(Rfc6066Section4, NoRecordOfTheHandshakeIsLongerOnceItIsAgreed) {
  constexpr std::size_t kLength = 512;
  ConfigOptions client = asking(kLength);
  client.identities = {rsa_identity()};
  client.mtu = 4096;
  ConfigOptions server = options();
  server.identities = {rsa_identity()};
  server.mtu = 4096;
  Pair pair(client, server);
  pair.flight(pair.client);
  std::size_t records = 0;
  for (int i = 0; i < 10; ++i) {
    for (const bool from_client : {false, true}) {
      Peer& from = from_client ? pair.client : pair.server;
      for (auto& datagram : from.take_datagrams()) {
        for (Bytes rest = datagram; !rest.empty(); ++records) {
          const bool unified = std::to_integer<unsigned>(rest[0]) >> 5 == 1;
          const bool is_encrypted12 = !unified && rest[4] != std::byte{0};
          const std::size_t header = unified ? 5 : 13;
          const std::size_t length = std::to_integer<std::size_t>(rest[header - 2]) << 8 |
                                     std::to_integer<std::size_t>(rest[header - 1]);
          const std::size_t overhead = unified ? 16 : is_encrypted12 ? 8 + 16 : 0;
          EXPECT_LE(length, kLength + overhead);
          rest = rest.subspan(header + length);
        }
        (from_client ? pair.server : pair.client).receive(std::move(datagram), {});
      }
    }
  }
  EXPECT_TRUE(works(pair));
  EXPECT_GE(records, 7U);
}

// "a value other than the allowed values, it MUST abort the handshake".
TEST_P(Rfc6066Section4, AnotherValueIsIllegal) {
  for (const char* value : {"00", "05", "ff"}) {
    Pair pair(saying(value), options());
    pair.flight(pair.client);
    EXPECT_TRUE(
        failed(pair.server, Errc::illegal_parameter, Alert::illegal_parameter, pair.client));
  }
  for (const char* malformed : {"", "0101"}) {
    Pair pair(saying(malformed), options());
    pair.flight(pair.client);
    EXPECT_TRUE(failed(pair.server, Errc::decode_error, Alert::decode_error, pair.client));
  }
}

// RFC 8449 section 5: "MUST ignore a "max_fragment_length" [...] if both extensions appear".
TEST_P(Rfc6066Section4, RecordSizeLimitReplacesIt) {
  ConfigOptions both = asking(512);
  both.record_size_limit = 2000;
  Pair pair = met(both);
  ASSERT_TRUE(works(pair));
  EXPECT_EQ(pair.client.connected->max_application_data, dtls::kMaxApplicationData);
  EXPECT_EQ(pair.server.connected->max_application_data, contents(2000));
  ConfigOptions illegal = saying("07");
  illegal.record_size_limit = 2000;
  Pair ignored = met(illegal);
  EXPECT_TRUE(works(ignored));
}

// "differs from the length it requested": the server read another one.
TEST_P(Rfc6066Section4, AnAnswerWithAnotherLengthIsIllegal) {
  ConfigOptions client = asking(512);
  client.hello_hook = std::make_shared<FragmentLengthHook>(from_hex("02"));
  const Pair pair = met(client);
  EXPECT_TRUE(failed(pair.client, Errc::illegal_parameter, Alert::illegal_parameter));
}

// "applies for the duration of the session including session resumptions".
TEST_P(Rfc6066Section4, ASessionKeepsItsLength) {
  const ConfigOptions server = with_tickets(options());
  const auto client = [&](std::optional<std::size_t> length) {
    ConfigOptions with_length = server;
    with_length.max_fragment_length = length;
    return with_length;
  };
  Pair first(client(1024), server);
  first.run();
  ASSERT_TRUE(works(first));
  const ResumableSession& session = first.client.sessions.front();
  Pair same = resumed_pair(client(1024), server, session);
  EXPECT_TRUE(is_resumed(same));
  EXPECT_EQ(same.client.connected->max_application_data, contents(1024));
  EXPECT_EQ(same.server.connected->max_application_data, contents(1024));
  for (const auto& other : {std::optional<std::size_t>{512}, std::optional<std::size_t>{}}) {
    Pair pair = resumed_pair(client(other), server, session);
    EXPECT_FALSE(is_resumed(pair));
    EXPECT_EQ(pair.server.connected->max_application_data,
              other ? contents(*other) : dtls::kMaxApplicationData);
  }
  // A session without one gets none by being resumed.
  Pair without(client({}), server);
  without.run();
  EXPECT_FALSE(is_resumed(resumed_pair(client(512), server, without.client.sessions.front())));
}

// What is retransmitted was made before anything was agreed on.
TEST_P(Rfc6066Section4, ALongerClientHelloIsStillRead) {
  ConfigOptions client = asking(512);
  client.application_protocols = {std::string(255, 'a'), std::string(255, 'b')};
  Pair pair(client, options());
  auto hello = pair.client.take_datagrams();
  ASSERT_GT(hello.front().size(), 600U);
  for (int i = 0; i < 2; ++i) {
    Buffer copy = hello.front();
    pair.server.receive(std::move(copy), {});
  }
  EXPECT_EQ(discards(pair.server, dtls::Discard::malformed_record), 0U);
}

}  // namespace
}  // namespace sluice::test
