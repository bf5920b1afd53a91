// A DTLS 1.3 handshake between Chromium and Firefox: our keys read every record and every SRTP
// packet.
#include <gtest/gtest.h>
#include <sluice/srtp/session.h>

#include <map>

#include "kat/dtls13/vectors.h"
#include "message/handshake_fragment.h"
#include "message/key_share.h"
#include "message/server_hello.h"

namespace sluice::test {
namespace {

using dtls::Buffer;
namespace record = dtls::record;
namespace schedule = dtls::schedule;
namespace wire = dtls::wire;

constexpr const char* kClientPort = "42530";  // Firefox

class BrowserCapture : public testing::Test {
 protected:
  const nlohmann::json capture_ = load_vectors("dtls13_chromium_firefox.json");

  Buffer secret(const char* name) const {
    return from_hex(capture_.at("key_log").at(name).get<std::string>());
  }
  static bool from_client(const nlohmann::json& datagram) {
    return datagram.at("from") == kClientPort;
  }
  static Buffer bytes_of(const nlohmann::json& datagram) {
    return from_hex(datagram.at("hex").get<std::string>());
  }

  // The body of the ServerHello, the first plaintext record from the server.
  Buffer server_hello() const {
    for (const auto& datagram : capture_.at("datagrams")) {
      if (from_client(datagram)) continue;
      const Buffer bytes = bytes_of(datagram);
      wire::Reader reader(dtls::Bytes(bytes).subspan(record::kHeaderSize12));
      return copy_of(dtls::message::HandshakeFragment::take(reader)->body);
    }
    throw std::runtime_error("no ServerHello");
  }
  Suite13 negotiated() const {
    const Buffer body = server_hello();
    return suite13(static_cast<unsigned>(dtls::message::ServerHello::decode(body)->cipher_suite));
  }
};

struct Epoch {
  record::Opener13 opener;
  std::uint64_t next = 0;
};

// What two browsers agree on, and its size.
TEST_F(BrowserCapture, TheServerAnsweredWithX25519Mlkem768) {
  const Buffer body = server_hello();
  const auto hello = dtls::message::ServerHello::decode(body);
  const auto share = dtls::message::decode_server_share(
      hello->extensions.find(wire::ExtensionType::key_share).value());
  ASSERT_TRUE(share);
  EXPECT_EQ(share->group, dtls::NamedGroup::x25519_mlkem768);
  EXPECT_EQ(share->key_exchange.size(), 1120U);
}

TEST_F(BrowserCapture, EveryEncryptedRecordOpens) {
  const Suite13 suite = negotiated();
  std::map<std::pair<bool, unsigned>, Epoch> epochs;
  const auto add = [&](bool client, unsigned epoch, const char* name) {
    const auto keys = keys_of(suite, secret(name));
    epochs.emplace(
        std::pair(client, epoch),
        Epoch{must(record::Opener13::make(environment().library(), protection(suite, keys)))});
  };
  add(true, 2, "CLIENT_HANDSHAKE_TRAFFIC_SECRET");
  add(false, 2, "SERVER_HANDSHAKE_TRAFFIC_SECRET");
  add(true, 3, "CLIENT_TRAFFIC_SECRET_0");
  add(false, 3, "SERVER_TRAFFIC_SECRET_0");

  int opened_records = 0;
  for (const auto& datagram : capture_.at("datagrams")) {
    if (datagram.at("kind") != "dtls") continue;
    Buffer bytes = bytes_of(datagram);
    dtls::MutableBytes rest(bytes);
    while (!rest.empty()) {
      if (!record::Header13::is_unified(rest.front())) {
        const auto plain = record::Header12::decode(rest);
        ASSERT_TRUE(plain);
        rest = rest.subspan(record::kHeaderSize12 + plain->length);
        continue;
      }
      const auto header = record::Header13::decode(rest);
      ASSERT_TRUE(header);
      Epoch& epoch = epochs.at({from_client(datagram), header->flags & 3U});
      const auto whole = rest.first(header->size + header->length);
      const auto sequence = epoch.opener.reveal_sequence(*header, whole, epoch.next);
      ASSERT_TRUE(sequence);
      ASSERT_TRUE(epoch.opener.open(*header, whole, *sequence));
      epoch.next = wire::value_of(*sequence) + 1;
      ++opened_records;
      rest = rest.subspan(whole.size());
    }
  }
  EXPECT_GT(opened_records, 15);
}

TEST_F(BrowserCapture, SrtpOpensWithTheExportersKeys) {
  Buffer material(2 * (16 + 14));
  const Suite13 suite = negotiated();
  ASSERT_TRUE(schedule::export13(environment().library(), suite.hash,
                                 schedule::HashSecret(secret("EXPORTER_SECRET")),
                                 "EXTRACTOR-dtls_srtp", std::nullopt, material));
  const auto master = [&](std::size_t side) {
    Buffer joined(material.begin() + static_cast<std::ptrdiff_t>(16 * side),
                  material.begin() + static_cast<std::ptrdiff_t>(16 * side + 16));
    const auto salt = material.begin() + static_cast<std::ptrdiff_t>(32 + 14 * side);
    joined.insert(joined.end(), salt, salt + 14);
    return dtls::SrtpMasterKey(joined);
  };
  const auto session = [&](std::size_t receiver) {
    auto made = srtp::Session::make(
        {dtls::SrtpProfile::aes128_cm_hmac_sha1_80, master(receiver), master(1 - receiver)});
    return std::move(made.value());
  };
  srtp::Session client = session(0);
  srtp::Session server = session(1);
  int packets = 0;
  for (const auto& datagram : capture_.at("datagrams")) {
    if (datagram.at("kind") == "dtls") continue;
    Buffer bytes = bytes_of(datagram);
    srtp::Session& receiver = from_client(datagram) ? server : client;
    const auto size =
        srtp::is_rtcp(bytes) ? receiver.unprotect_rtcp(bytes) : receiver.unprotect_rtp(bytes);
    EXPECT_TRUE(size) << srtp::to_string(size.error());
    ++packets;
  }
  EXPECT_EQ(packets, 40);
}

}  // namespace
}  // namespace sluice::test
