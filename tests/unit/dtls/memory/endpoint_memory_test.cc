// What an Endpoint takes: nothing for unknown sources, nothing for datagrams, and for its
// connections what it says. libcrypto's allocations count as well.
#include <gtest/gtest.h>

#include <array>

#include "support/allocations.h"
#include "support/endpoint_host.h"
#include "support/hello_fields.h"

namespace sluice::test {
namespace {

using dtls::Buffer;
using dtls::Instant;

constexpr std::uint32_t kSpoofedAddresses = 10'000;
constexpr std::uint32_t kClients = 20;

TEST(EndpointMemory, TenThousandSpoofedHellosLeaveMemoryAsItWas) {
  EndpointHost host;
  const std::array hellos{datagram_of(hello_fields13()), datagram_of(ClientHelloFields{})};
  Buffer datagram;
  datagram.reserve(hellos[0].size() + hellos[1].size());
  std::array<std::byte, dtls::kMaxDatagram> out{};
  std::uint32_t spoofed = 0;
  const auto spoof = [&](std::uint32_t count) {
    for (const std::uint32_t last = spoofed + count; spoofed < last; ++spoofed) {
      datagram = hellos[spoofed % 2];
      host.endpoint.handle_datagram(datagram, path_of(1'000'000 + spoofed), Instant{});
      // Answered, if at all, to where it says.
      while (const auto reply = host.endpoint.poll_transmit(out)) {
        EXPECT_EQ(reply->path, path_of(1'000'000 + spoofed));
        EXPECT_LE(reply->size, datagram.size());
      }
    }
  };
  std::vector<Peer> clients;
  for (std::uint32_t i = 0; i < kClients; ++i) {
    clients.push_back(make_client(make_config()));
    // In the middle of each handshake, as at any other time.
    auto hello = clients[i].take_datagrams();
    for (auto& piece : hello) host.receive(std::move(piece), path_of(i));
    auto answers = host.take_datagrams();
    spoof(2);  // leaves the Environment's contexts as they will be again
    const auto before = allocations();
    spoof(kSpoofedAddresses / kClients);
    EXPECT_EQ(allocations().bytes, before.bytes);
    for (auto& answer : answers) clients[i].receive(std::move(answer.datagram), {});
    exchange(clients[i], path_of(i), host);
    EXPECT_TRUE(works(clients[i], path_of(i), host));
  }
  EXPECT_EQ(host.endpoint.size(), kClients);
  EXPECT_GT(host.endpoint.listener_statistics().hello_retry_requests, kSpoofedAddresses / 2 - 1);
}

// A datagram to each of many connections and one from it.
TEST(EndpointMemory, DatagramsAllocateNothing) {
  EndpointHost host;
  std::vector<Peer> clients;
  for (std::uint32_t i = 0; i < kClients; ++i) {
    clients.push_back(make_client(make_config()));
    exchange(clients[i], path_of(i), host);
    ASSERT_TRUE(works(clients[i], path_of(i), host));
  }
  const Buffer data(100, std::byte{1});
  std::array<std::byte, 1500> out{};
  std::uint64_t count = 0;
  for (int round = 0; round < 100; ++round) {
    for (std::uint32_t i = 0; i < kClients; ++i) {
      Buffer datagram = clients[i].seal(data);
      const auto handle = *host.endpoint.find(path_of(i));
      const auto before = allocations().count;
      host.endpoint.handle_datagram(datagram, path_of(i), Instant{});
      EXPECT_EQ(host.endpoint.poll_data()->connection, handle);
      EXPECT_FALSE(host.endpoint.poll_data() || host.endpoint.poll_event() ||
                   host.endpoint.poll_transmit(out));
      EXPECT_TRUE(host.endpoint.seal(handle, data, out));
      host.endpoint.handle_timeout(Instant{});
      // The first may find a vector without capacity.
      if (round > 0) count += allocations().count - before;
    }
  }
  EXPECT_EQ(count, 0U);
}

// What <sluice/dtls/endpoint.h> says.
TEST(EndpointMemory, AConnectionsPlaceTakesWhatIsSaid) {
  constexpr std::uint32_t kCount = 2048;
  EndpointHost host(make_config(), {.max_half_open = kCount, .max_half_open_per_host = 0});
  const auto config = make_config();
  // Others that are no part of what is measured have the Config as well.
  const auto other = must(dtls::Connection::client(config, environment(), kPath, {}));
  const auto empty = allocations().bytes;
  std::int64_t of_connections = 0;
  for (std::uint32_t i = 0; i < kCount; ++i) {
    const auto before = allocations().bytes;
    auto alone = must(dtls::Connection::client(config, environment(), kPath, {}));
    of_connections += allocations().bytes - before;
    ASSERT_TRUE(host.endpoint.connect(config, path_of(i), {}));
  }
  const auto each = (allocations().bytes - empty - of_connections) / kCount;
  RecordProperty("bytes_each", static_cast<int>(each));
  EXPECT_LE(each, 120);
}

// Who ends gives back all but its place, and the next takes that.
TEST(EndpointMemory, ThoseThatComeAndGoLeaveNothing) {
  EndpointHost host;
  std::int64_t settled = 0;
  for (std::uint32_t i = 0; i < 100; ++i) {
    {
      Peer client = make_client(make_config());
      exchange(client, path_of(i), host);
      ASSERT_TRUE(works(client, path_of(i), host));
      ASSERT_TRUE(host.endpoint.close(*host.endpoint.find(path_of(i)), {}));
      host.settle({});
      static_cast<void>(host.take_datagrams());
      host.known.clear();
    }
    if (i < 10) settled = allocations().bytes;
    EXPECT_LE(allocations().bytes, settled);
  }
}

}  // namespace
}  // namespace sluice::test
