// Associations of several threads: usrsctp's state is one for the process.
#include <gtest/gtest.h>
#include <sluice/data_channel/association.h>

#include <array>
#include <thread>
#include <vector>

namespace sluice::data_channel {
namespace {

using namespace std::chrono_literals;

// Two associations that exchange messages; the number of those that arrived.
std::size_t exchange(int messages) {
  const dtls::Instant start{1s};
  std::array ends = {Association::make({.role = dtls::Role::client}, start).value(),
                     Association::make({.role = dtls::Role::server}, start).value()};
  const auto id = ends[0].open({}, start).value();
  const std::array<std::byte, 1000> data{};
  int sent = 0;
  std::size_t received = 0;
  for (int round = 0; round < 10'000 && received < static_cast<std::size_t>(messages); ++round) {
    for (const std::size_t end : {0U, 1U}) {
      if (end == 0 && sent < messages && ends[0].send(id, MessageType::binary, data, start)) ++sent;
      while (const auto event = ends[end].poll_event()) {
        if (std::holds_alternative<MessageReceived>(*event)) ++received;
      }
      while (const auto packet = ends[end].poll_transmit()) {
        ends[1 - end].handle_packet(*packet, start);
      }
    }
  }
  return received;
}

TEST(DataChannelThreads, EachHasItsOwnAssociations) {
  constexpr int kMessages = 200;
  std::array<std::size_t, 4> received{};
  std::vector<std::thread> threads;
  for (auto& count : received) threads.emplace_back([&count] { count = exchange(kMessages); });
  for (auto& thread : threads) thread.join();
  for (const auto count : received) EXPECT_EQ(count, std::size_t{kMessages});
}

}  // namespace
}  // namespace sluice::data_channel
