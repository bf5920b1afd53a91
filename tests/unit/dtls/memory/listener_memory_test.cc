// A flood of hellos from addresses that aren't the sender's: it costs the server no memory, and
// those who are where they say get through meanwhile. libcrypto's allocations count as well.
#include <gtest/gtest.h>

#include "support/allocations.h"
#include "support/bytes.h"
#include "support/hello_fields.h"
#include "support/listening_server.h"
#include "wire/writer.h"

namespace sluice::dtls {
namespace {

using test::allocations;
using test::datagram_of;
using test::make_config;
using test::Peer;
using wire::ExtensionType;

constexpr std::uint32_t kSpoofed = 10'000;
constexpr std::uint32_t kRealClients = 20;

Buffer address_of(std::uint32_t number, std::uint8_t kind) {
  Buffer address(6);
  address[0] = static_cast<std::byte>(kind);
  wire::store(MutableBytes(address).subspan(1, 4), number);
  return address;
}

// What somebody may send who gets no answer, each made beforehand.
std::vector<Buffer> spoofed_datagrams() {
  std::vector<Buffer> all;
  auto hello13 = test::hello_fields13();
  test::ClientHelloFields hello12;
  all.push_back(datagram_of(hello13));
  all.push_back(datagram_of(hello12));
  // The first piece of a hello of which no second comes.
  all.push_back(datagram_of(hello13, {.max_fragment = 100}));
  // Cookies that nobody gave.
  hello12.cookie = test::counted(17);
  all.push_back(datagram_of(hello12, {.message_seq = 1}));
  Buffer cookie = test::counted(2 + 53);
  cookie[0] = std::byte{0};
  cookie[1] = std::byte{53};
  hello13.extensions.set(ExtensionType::cookie, cookie);
  all.push_back(datagram_of(hello13, {.message_seq = 1}));
  // A group to be asked for, and a hello shorter than its answer.
  hello13 = test::hello_fields13();
  hello13.extensions.set(ExtensionType::key_share, test::from_hex("0000"));
  all.push_back(datagram_of(hello13));
  // None that could succeed, and none at all.
  hello13.extensions.remove(ExtensionType::supported_versions);
  all.push_back(datagram_of(hello13));
  all.emplace_back(100);
  return all;
}

// Multi-datagram hellos: the smallest MTU.
ConfigOptions small_options(ProtocolVersion version) {
  ConfigOptions options = test::options();
  options.mtu = kMinimumMtu;
  options.max_version = version;
  return options;
}

TEST(ListenerMemory, TenThousandSpoofedHellosLeaveMemoryAsItWas) {
  // Without the Connections that real clients get, which take what they take.
  auto listener = test::must(Listener::make(make_config(), test::environment()));
  const auto datagrams = spoofed_datagrams();
  std::vector<Buffer> addresses;
  addresses.reserve(kSpoofed);
  for (std::uint32_t i = 0; i < kSpoofed; ++i) addresses.push_back(address_of(i, 1));
  const auto spoof = [&](const Buffer& address) {
    for (const Buffer& datagram : datagrams) {
      const auto outcome = listener.handle_datagram(datagram, address, Instant{});
      ASSERT_FALSE(std::holds_alternative<Admission>(outcome));
    }
  };
  spoof(address_of(0, 2));  // leaves the Environment's contexts as they will be again

  const auto before = allocations();
  test::reset_peak();
  for (const Buffer& address : addresses) spoof(address);
  EXPECT_EQ(allocations().bytes, before.bytes);
  // What libcrypto takes and gives back for one MAC.
  EXPECT_LT(allocations().peak_bytes - before.bytes, 2'000);
  RecordProperty("bytes_at_peak", static_cast<int>(allocations().peak_bytes - before.bytes));

  const ListenerStatistics& statistics = listener.statistics();
  EXPECT_EQ(statistics.datagrams_received, (kSpoofed + 1) * datagrams.size());
  EXPECT_LE(statistics.bytes_sent, statistics.bytes_received);
  EXPECT_EQ(statistics.admissions, 0U);
  EXPECT_EQ(statistics.count(ListenerDiscard::libcrypto_failure), 0U);
  EXPECT_GT(statistics.evictions, kSpoofed);
}

// Between a real client's datagrams come others, fewer in pieces than the table holds.
TEST(ListenerMemory, RealClientsGetThroughMeanwhile) {
  test::ListeningServer server(make_config(small_options(ProtocolVersion::dtls13)));
  const auto datagrams = spoofed_datagrams();
  std::uint32_t spoofed = 0;
  const auto spoof = [&] {
    const Buffer address = address_of(spoofed++, 1);
    for (const Buffer& datagram : datagrams) {
      static_cast<void>(server.listener.handle_datagram(datagram, address, Instant{}));
    }
  };
  const auto flood = [&] {
    spoof();  // the contexts that connections use as well are as they will be again
    const auto before = allocations().bytes;
    for (std::uint32_t i = 0; i < kSpoofed / kRealClients / 10; ++i) spoof();
    EXPECT_EQ(allocations().bytes, before);
  };
  for (std::uint32_t i = 0; i < kRealClients; ++i) {
    SCOPED_TRACE(i);
    const auto version = i % 2 == 0 ? ProtocolVersion::dtls13 : ProtocolVersion::dtls12;
    const Buffer address = address_of(i, 3);
    Peer client = test::make_client(make_config(small_options(version)));
    for (bool moved = true; moved;) {
      moved = false;
      std::vector<Buffer> replies;
      std::size_t sent = 0;
      for (Buffer& datagram : client.take_datagrams()) {
        for (Buffer& reply : server.receive(std::move(datagram), address)) {
          replies.push_back(std::move(reply));
        }
        if (++sent % 2 == 0) flood();
      }
      flood();
      for (Buffer& reply : replies) {
        client.receive(std::move(reply), {});
        moved = true;
      }
    }
    EXPECT_TRUE(test::works(client, address, server));
  }
  EXPECT_GE(spoofed, kRealClients * 10);
}

}  // namespace
}  // namespace sluice::dtls
