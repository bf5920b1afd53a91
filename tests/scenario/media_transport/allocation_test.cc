// In the steady state no packet allocates memory: neither Sluice's code nor, as far as it is ours
// to choose, the libraries below it.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "call.h"
#include "support/allocations.h"

namespace sluice::transport {
namespace {

// Before libcrypto makes its first allocation.
const bool kCountsLibcrypto = test::count_libcrypto();

// What one packet of each kind takes, there and back; the buffers are the caller's.
class Ping {
 public:
  explicit Ping(Call& call) : call_(call) {}

  void run(std::uint16_t sequence) {
    rtp_[2] = static_cast<std::byte>(sequence >> 8);
    rtp_[3] = static_cast<std::byte>(sequence & 0xff);
    for (auto [from, to] : {std::pair(&call_.client.transport, &call_.server.transport),
                            {&call_.server.transport, &call_.client.transport}}) {
      std::ranges::copy(rtp_, buffer_.begin());
      arrive(*to, from->protect_rtp(buffer_, rtp_.size()).value());
      std::ranges::copy(rtcp_, buffer_.begin());
      arrive(*to, from->protect_rtcp(buffer_, rtcp_.size()).value());
      arrive(*to, from->seal_data(data_, buffer_).value());
      buffer_[0] = std::byte{0x80};
      arrive(*to, 100);  // junk
    }
  }
  [[nodiscard]] int media() const { return media_; }
  [[nodiscard]] int data() const { return data_count_; }

 private:
  void arrive(MediaTransport& to, std::size_t size) {
    const auto pending = to.handle_datagram(MutableBytes(buffer_).first(size), kPathA, call_.now);
    if (!pending) return;
    while (to.poll_data()) ++data_count_;
    while (to.poll_media()) ++media_;
    while (to.poll_event()) continue;
    while (to.poll_transmit(out_)) continue;
    static_cast<void>(to.next_timeout());
  }

  Call& call_;
  Packet rtp_ = make_rtp({.payload = 1000});
  Packet rtcp_ = make_rtcp();
  Packet data_ = Packet(1000, std::byte{7});
  Packet buffer_ = Packet(1500);
  Packet out_ = Packet(1500);
  int media_ = 0;
  int data_count_ = 0;
};

class Allocation : public testing::TestWithParam<dtls::SrtpProfile> {};

// Of the AES-CM profiles libsrtp's HMAC allocates within libcrypto.
INSTANTIATE_TEST_SUITE_P(Profiles, Allocation,
                         testing::Values(dtls::SrtpProfile::aead_aes_256_gcm,
                                         dtls::SrtpProfile::aead_aes_128_gcm),
                         [](const auto& instance) {
                           return std::string(to_string(instance.param));
                         });

TEST_P(Allocation, NoneAPacket) {
  CallOptions options;
  options.client_dtls.srtp_profiles = {GetParam()};
  Call call(options);
  call.connect();
  Ping ping(call);
  for (std::uint16_t sequence = 1; sequence < 20; ++sequence) ping.run(sequence);

  const auto before = test::allocations().count;
  for (std::uint16_t sequence = 20; sequence < 120; ++sequence) ping.run(sequence);
  EXPECT_EQ(test::allocations().count, before);
  EXPECT_EQ(ping.media(), 119 * 4) << "all of it was real";
  EXPECT_EQ(ping.data(), 119 * 2);
}

TEST(AllocationCounter, Counts) {
  ASSERT_TRUE(kCountsLibcrypto);
  const auto before = test::allocations().count;
  const auto packet = std::make_unique<Packet>(100);
  EXPECT_EQ(test::allocations().count, before + 2);
}

}  // namespace
}  // namespace sluice::transport
