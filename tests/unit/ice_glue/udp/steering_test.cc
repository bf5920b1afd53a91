// Which of the sockets on one port receives a datagram: the kernel of this machine decides.
#include <sluice/udp/steering.h>

#include <gmock/gmock.h>

#include <optional>
#include <vector>

#include <sluice/udp/address.h>

namespace sluice::udp {
namespace {

constexpr std::size_t kWorkers = 4;
constexpr std::size_t kSources = 16;

using Octets = std::vector<unsigned>;

dtls::Buffer datagram_of(const Octets& octets) {
  dtls::Buffer bytes;
  for (const unsigned octet : octets) bytes.push_back(static_cast<std::byte>(octet));
  return bytes;
}

// A tls12_cid record and a DTLS 1.3 ciphertext whose connection ID has this first octet.
Octets record12_with(unsigned first_octet) {
  return {25, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 5, first_octet, 0xff, 0xff, 0, 1, 0};
}
Octets record13_with(unsigned first_octet, unsigned flags) {
  return {flags, first_octet, 0xff, 0xff, 0, 1, 0, 1, 0};
}

class Steering : public testing::Test {
 protected:
  Steering() {
    const SocketOptions shared{.shares_port = true, .reports_local_address = false};
    workers_.push_back(*Socket::bind(*resolve("127.0.0.1:0"), shared));
    const auto port = dtls::to_socket_address(workers_.front().own());
    while (workers_.size() < kWorkers) workers_.push_back(*Socket::bind(port, shared));
    while (sources_.size() < kSources) {
      sources_.push_back(*Socket::bind(*resolve("127.0.0.1:0"), {.reports_local_address = false}));
    }
    by_address_ = receivers_of(datagram_of({22, 0xfe, 0xfd}));
  }

  // The worker that receives the datagram from each source. A datagram on loopback can be read as
  // soon as it has been sent.
  std::vector<std::size_t> receivers_of(const dtls::Buffer& datagram) {
    std::vector<std::size_t> receivers;
    for (Socket& source : sources_) {
      source.send(datagram, {.peer = workers_.front().own()});
      for (std::size_t worker = 0; worker < workers_.size(); ++worker) {
        for (const Received& received : workers_[worker].receive()) {
          EXPECT_EQ(received.path.peer, source.own());
          EXPECT_EQ(received.bytes.size(), datagram.size());
          receivers.push_back(worker);
        }
      }
    }
    EXPECT_EQ(receivers.size(), sources_.size());
    return receivers;
  }
  std::vector<std::size_t> receivers_of(const Octets& octets) {
    return receivers_of(datagram_of(octets));
  }

  std::vector<Socket> workers_;
  std::vector<Socket> sources_;
  std::vector<std::size_t> by_address_;  // without the program
};

TEST_F(Steering, WithoutTheProgramTheAddressesDecide) {
  EXPECT_EQ(receivers_of(record12_with(1)), by_address_);
  // 16 ports lead to one of four sockets with a probability of 2^-30.
  EXPECT_THAT(by_address_, testing::Not(testing::Each(by_address_.front())));
}

TEST_F(Steering, LeadsEachIdToItsWorkerFromAnyPort) {
  ASSERT_TRUE(steer_by_connection_id(workers_.front()).has_value());
  for (unsigned worker = 0; worker < kWorkers; ++worker) {
    for (unsigned key_id = 0; key_id < 8; ++key_id) {
      const unsigned first_octet = key_id << 5 | worker;
      EXPECT_THAT(receivers_of(record12_with(first_octet)), testing::Each(worker));
      EXPECT_THAT(receivers_of(record13_with(first_octet, 0x3f)), testing::Each(worker));
    }
    for (unsigned flags = 0x30; flags < 0x40; ++flags) {
      EXPECT_THAT(receivers_of(record13_with(worker, flags)), testing::Each(worker)) << flags;
    }
    EXPECT_THAT(receivers_of(Octets{0x30, worker}), testing::Each(worker)) << "the shortest";
  }
}

TEST_F(Steering, TheAddressesDecideWhereThereIsNoId) {
  ASSERT_TRUE(steer_by_connection_id(workers_.front()).has_value());
  for (unsigned type = 0; type < 256; ++type) {
    if (type == 25 || type >> 4 == 3) continue;
    Octets datagram = record12_with(1);
    datagram.front() = type;
    EXPECT_EQ(receivers_of(datagram), by_address_) << type;
  }
}

TEST_F(Steering, TheAddressesDecideWhereTheIdIsOfNoWorker) {
  ASSERT_TRUE(steer_by_connection_id(workers_.front()).has_value());
  for (const unsigned worker : {4U, 5U, 31U}) {
    EXPECT_EQ(receivers_of(record12_with(worker)), by_address_) << worker;
    EXPECT_EQ(receivers_of(record13_with(worker, 0x3f)), by_address_) << worker;
  }
}

// A load beyond the end would lead them all to the first worker.
TEST_F(Steering, TheAddressesDecideWhereADatagramIsTooShort) {
  ASSERT_TRUE(steer_by_connection_id(workers_.front()).has_value());
  for (std::size_t size = 0; size <= 11; ++size) {
    Octets datagram = record12_with(1);
    datagram.resize(size);
    EXPECT_EQ(receivers_of(datagram), by_address_) << size;
  }
  EXPECT_EQ(receivers_of(Octets{0x3f}), by_address_);
}

TEST(SteeringAlone, NeedsASharedPort) {
  const auto socket = *Socket::bind(*resolve("127.0.0.1:0"), {});
  EXPECT_FALSE(steer_by_connection_id(socket).has_value());
}

}  // namespace
}  // namespace sluice::udp
