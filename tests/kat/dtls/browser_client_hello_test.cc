// The first flights of real browsers, from their datagrams to what a server chooses.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "flight/reassembler.h"
#include "kat/dtls/vectors.h"
#include "message/client_hello.h"
#include "message/code_list_extension.h"
#include "message/server_hello.h"
#include "message/use_srtp.h"
#include "record/record_layer.h"
#include "support/endpoints.h"
#include "support/hybrid.h"

namespace sluice::dtls {
namespace {

using message::ClientHello;
using message::ListWidth;
using test::bytes_at;
using test::to_hex;
using testing::ElementsAreArray;
using wire::ExtensionType;

class BrowserHello : public testing::TestWithParam<std::string> {
 protected:
  BrowserHello()
      : vector_(test::load_vectors("browser_client_hellos.json").at("hellos").at(GetParam())),
        body_(bytes_at(vector_, "client_hello_body")) {}

  [[nodiscard]] std::vector<Buffer> datagrams() const {
    std::vector<Buffer> all;
    for (const std::string hex : vector_.at("first_flight_datagrams")) {
      all.push_back(test::from_hex(hex));
    }
    return all;
  }
  [[nodiscard]] bool is_chromium() const { return GetParam().starts_with("chromium"); }

  nlohmann::json vector_;
  Buffer body_;
};

// The whole handshake messages in the datagrams' records.
std::vector<Buffer> messages_in(std::vector<Buffer> datagrams) {
  record::RecordLayer records;
  flight::Reassembler reassembler({.max_message = 65536, .max_bytes = 65536});
  std::vector<Buffer> messages;
  for (Buffer& datagram : datagrams) {
    for (MutableBytes rest(datagram); !rest.empty();) {
      const auto record = std::get<record::Record>(records.take(rest));
      EXPECT_EQ(record.type, wire::ContentType::handshake);
      wire::Reader reader(record.contents);
      while (reader.more()) {
        const auto fragment = message::HandshakeFragment::take(reader);
        if (!fragment) throw std::runtime_error("no fragment");
        EXPECT_EQ(reassembler.add(*fragment, record.epoch), flight::Reassembler::Outcome::kept);
      }
      while (const auto message = reassembler.front()) {
        messages.push_back(test::copy_of(message->encoding));
        reassembler.pop();
      }
    }
  }
  return messages;
}

TEST_P(BrowserHello, SpansTwoDatagramsThatMakeOneMessage) {
  std::vector<Buffer> datagrams = BrowserHello::datagrams();
  ASSERT_EQ(datagrams.size(), 2U);
  for (const bool reversed : {false, true}) {
    if (reversed) std::swap(datagrams[0], datagrams[1]);
    const auto messages = messages_in(datagrams);
    ASSERT_EQ(messages.size(), 1U);
    EXPECT_EQ(to_hex(Bytes(messages[0]).subspan(message::kHandshakeHeaderSize)), to_hex(body_));
  }
}

template <class Code>
std::vector<unsigned> codes(const ClientHello& hello, ExtensionType type,
                            ListWidth width = ListWidth::two) {
  std::vector<unsigned> all;
  const auto data = hello.extensions.find(type);
  if (!data) return all;
  const auto list = message::decode_code_list<Code>(*data, width);
  if (!list) throw std::runtime_error("malformed list");
  for (const Code code : *list) all.push_back(static_cast<unsigned>(code));
  return all;
}

TEST_P(BrowserHello, OffersWhatThisBrowserOffers) {
  const auto hello = ClientHello::decode(body_);
  ASSERT_TRUE(hello);
  EXPECT_EQ(hello->legacy_version, ProtocolVersion::dtls12);
  EXPECT_TRUE(hello->session_id.empty());
  EXPECT_TRUE(hello->cookie.empty());
  EXPECT_EQ(to_hex(hello->compression_methods), "00");

  std::vector<unsigned> suites;
  for (const CipherSuite suite : hello->cipher_suites)
    suites.push_back(static_cast<unsigned>(suite));
  const std::vector<unsigned> chromium_suites{0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f,
                                              0xcca9, 0xcca8, 0xc009, 0xc013, 0xc00a,
                                              0xc014, 0x009c, 0x002f, 0x0035};
  const std::vector<unsigned> firefox_suites{0x1301, 0x1303, 0xc02b, 0xc02f, 0xcca9,
                                             0xcca8, 0xc00a, 0xc009, 0xc013, 0xc014};
  EXPECT_THAT(suites, ElementsAreArray(is_chromium() ? chromium_suites : firefox_suites));

  // X25519MLKEM768, x25519, P-256, P-384; Firefox adds ffdhe2048 and ffdhe3072.
  std::vector<unsigned> groups{0x11ec, 0x001d, 0x0017, 0x0018};
  if (!is_chromium()) groups.insert(groups.end(), {0x0100, 0x0101});
  EXPECT_THAT(codes<NamedGroup>(*hello, ExtensionType::supported_groups), ElementsAreArray(groups));

  std::vector<unsigned> versions{0xfefc, 0xfefd};
  if (!is_chromium()) versions.push_back(0x0303);
  EXPECT_THAT(codes<ProtocolVersion>(*hello, ExtensionType::supported_versions, ListWidth::one),
              ElementsAreArray(versions));

  const auto use_srtp =
      message::UseSrtp::decode(hello->extensions.find(ExtensionType::use_srtp).value());
  ASSERT_TRUE(use_srtp);
  EXPECT_TRUE(use_srtp->mki.empty());
  std::vector<unsigned> profiles;
  for (const SrtpProfile profile : use_srtp->profiles)
    profiles.push_back(static_cast<unsigned>(profile));
  EXPECT_THAT(profiles, ElementsAreArray(is_chromium() ? std::vector<unsigned>{1, 8, 7}
                                                       : std::vector<unsigned>{7, 8, 1, 2}));
  EXPECT_TRUE(hello->extensions.has(ExtensionType::extended_master_secret));
  EXPECT_TRUE(hello->extensions.has(ExtensionType::renegotiation_info));
  EXPECT_THAT(codes<SignatureScheme>(*hello, ExtensionType::signature_algorithms),
              testing::Contains(0x0403));
}

// Remembers the bytes that it gives out.
class RememberingRandom : public test::SeededRandom {
 public:
  using SeededRandom::SeededRandom;
  void fill(MutableBytes out) override {
    SeededRandom::fill(out);
    given_.insert(to_hex(out));
  }
  [[nodiscard]] bool gave(Bytes bytes) const { return given_.contains(to_hex(bytes)); }

 private:
  std::set<std::string> given_;
};

TEST_P(BrowserHello, LeadsADtls12ServerToItsOwnPreferences) {
  RememberingRandom random(1);
  auto environment = test::must(Environment::make({.random = &random}));
  ConfigOptions options = test::options();
  options.max_version = ProtocolVersion::dtls12;
  test::Peer server(test::must(
      Connection::server(test::make_config(options), environment, test::kPath, Instant{})));
  auto flight = datagrams();
  server.receive(flight[0], Instant{});
  EXPECT_TRUE(server.take_datagrams().empty()) << "half a hello decides nothing";
  server.receive(flight[1], Instant{});
  ASSERT_FALSE(server.error) << to_string(*server.error);

  const auto messages = messages_in(server.take_datagrams());
  ASSERT_EQ(messages.size(), 5U);
  const auto body = Bytes(messages[0]).subspan(message::kHandshakeHeaderSize);
  const auto hello = message::ServerHello::decode(body);
  ASSERT_TRUE(hello);
  EXPECT_EQ(hello->version, ProtocolVersion::dtls12);
  EXPECT_EQ(hello->cipher_suite, CipherSuite::ecdhe_ecdsa_with_aes_128_gcm_sha256);
  EXPECT_EQ(hello->compression_method, 0);
  EXPECT_TRUE(hello->session_id.empty());
  EXPECT_FALSE(hello->extensions.has(ExtensionType::supported_versions));
  EXPECT_TRUE(hello->extensions.has(ExtensionType::extended_master_secret));
  EXPECT_TRUE(hello->extensions.has(ExtensionType::renegotiation_info));
  // Chromium lists AES128_CM first, Firefox AEAD_AES_128_GCM: the server's order decides.
  EXPECT_EQ(to_hex(hello->extensions.find(ExtensionType::use_srtp).value()), "0002000800");

  // RFC 8446 section 4.1.3: the sentinel is for servers that could have done 1.3. All 32 bytes come
  // from the source of randomness, so none was put in their place.
  EXPECT_FALSE(to_hex(hello->random).ends_with("444f574e47524401"));
  EXPECT_FALSE(to_hex(hello->random).ends_with("444f574e47524400"));
  EXPECT_TRUE(random.gave(hello->random));
}

// Both send a share of X25519MLKEM768, which a server prefers.
TEST_P(BrowserHello, LeadsADtls13ServerToX25519Mlkem768) {
  SLUICE_NEEDS_HYBRID();
  test::Peer server = test::make_server(test::make_config());
  for (auto& datagram : datagrams()) server.receive(std::move(datagram), Instant{});
  ASSERT_FALSE(server.error) << to_string(*server.error);
  auto answer = server.take_datagrams();
  wire::Reader reader(Bytes(answer.at(0)).subspan(record::kHeaderSize12));
  const auto fragment = message::HandshakeFragment::take(reader);
  ASSERT_TRUE(fragment);
  EXPECT_EQ(fragment->header.type, wire::HandshakeType::server_hello);
  // The first datagram holds most of it.
  EXPECT_EQ(fragment->header.length, 2U + 32 + 1 + 2 + 1 + 2 + 6 + 8 + 1120);
  const std::string head = to_hex(fragment->body);
  EXPECT_NE(head.find("0033"
                      "0464"
                      "11ec"
                      "0460"),
            std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Browsers, BrowserHello, testing::Values("chromium-156", "firefox-esr-153"),
                         [](const auto& param_info) {
                           return std::string(param_info.param.starts_with("chromium") ? "Chromium"
                                                                                       : "Firefox");
                         });

}  // namespace
}  // namespace sluice::dtls
