// Packets of one session forwarded to others.
#include <sluice/ice_lite/forward.h>

#include <vector>

#include "lite_server.h"

namespace sluice::ice_lite {
namespace {

using test::IceWorld;

// Datagrams in the order of commit().
class Collected {
 public:
  struct Datagram {
    dtls::UdpPath path;
    dtls::Buffer bytes;
  };

  explicit Collected(std::size_t most = 1000) : most_(most) {}
  MutableBytes room(std::size_t size) {
    if (datagrams.size() == most_) return {};
    // Exactly that, so that AddressSanitizer sees what is written beyond it.
    space_ = dtls::Buffer(size);
    return space_;
  }
  void commit(std::size_t size, const dtls::UdpPath& path) {
    space_.resize(size);
    datagrams.push_back({path, std::move(space_)});
  }

  std::vector<Datagram> datagrams;

 private:
  std::size_t most_;
  dtls::Buffer space_;
};

class LiteForward : public testing::Test {
 protected:
  static constexpr std::size_t kReceivers = 3;

  void SetUp() override {
    for (std::size_t i = 0; i < kReceivers; ++i) {
      sessions_.push_back(world_.begin({.candidates = {peer(i)}}));
    }
    world_.run_for(5s);
    streams_.reserve(kReceivers);
    for (std::size_t i = 0; i < kReceivers; ++i) {
      rtp::ForwardOptions options{.ssrc = rtp::Ssrc{static_cast<std::uint32_t>(100 + i)}};
      options.payload_types[111] = rtp::PayloadType{static_cast<std::uint8_t>(96 + i)};
      options.transport_sequence_number = rtp::ExtensionId{5};
      if (i == 1) {
        options.rtx = rtp::RtxOptions{.ssrc = rtp::Ssrc{200}};
        options.rtx->payload_types[111] = rtp::PayloadType{120};
      }
      streams_.push_back(*rtp::ForwardedStream::make(options));
      receivers_.push_back({sessions_[i], &streams_[i], &numbers_[i]});
    }
  }
  static dtls::UdpEndpoint peer(std::size_t client) {
    return address(1, static_cast<std::uint16_t>(5000 + client));
  }
  // Packets of a sender, in plaintext.
  std::vector<rtp::Packet> packets(std::uint16_t count) {
    std::vector<rtp::Packet> made;
    for (std::uint16_t i = 0; i < count; ++i) {
      plain_.push_back(test::make_rtp({.sequence = static_cast<std::uint16_t>(1000 + i)}));
    }
    for (const auto& each : plain_) made.push_back(*rtp::read_packet(each));
    return made;
  }
  // What the receiver has got, decrypted.
  std::vector<test::Packet>& arrive(const Collected& batch) {
    for (const auto& datagram : batch.datagrams) {
      for (std::size_t i = 0; i < kReceivers; ++i) {
        if (datagram.path.peer != peer(i)) continue;
        auto bytes = datagram.bytes;
        world_.clients[i]->handle_datagram(bytes, 0, world_.now);
      }
    }
    return world_.clients[1]->rtp;
  }

  IceWorld world_{{}};
  std::vector<SessionHandle> sessions_;
  std::vector<rtp::ForwardedStream> streams_;
  std::array<rtp::SequenceNumber, kReceivers> numbers_{};
  std::vector<Forward> receivers_;
  std::vector<test::Packet> plain_;
  ForwardCounts counts_;
};

TEST_F(LiteForward, EachReceiverGetsThePacketsAsItHasAgreed) {
  Collected batch;
  const auto sent = packets(4);
  const auto before = plain_;
  forward(world_.server, std::span(sent), std::span(receivers_), world_.now, batch, counts_);
  EXPECT_EQ(plain_, before);
  EXPECT_EQ(counts_.packets, 4 * kReceivers);
  arrive(batch);
  for (std::size_t i = 0; i < kReceivers; ++i) {
    ASSERT_EQ(world_.clients[i]->rtp.size(), 4U);
    for (std::uint16_t k = 0; k < 4; ++k) {
      const auto got = rtp::read_packet(world_.clients[i]->rtp[k]);
      ASSERT_TRUE(got);
      EXPECT_EQ(got->ssrc, streams_[i].ssrc());
      EXPECT_EQ(rtp::number(got->payload_type), 96 + i);
      EXPECT_EQ(rtp::number(got->sequence_number), 1000 + k);
      EXPECT_TRUE(std::ranges::equal(got->payload, sent[k].payload));
      const auto number = rtp::find_extension(got->extension, rtp::ExtensionId{5});
      ASSERT_TRUE(number && *number);
      EXPECT_EQ(rtp::read_transport_sequence_number(**number), rtp::SequenceNumber{k});
    }
  }
}

TEST_F(LiteForward, PacketsOfOneReceiverStandTogether) {
  Collected batch;
  forward(world_.server, std::span<const rtp::Packet>(packets(4)), std::span(receivers_),
          world_.now, batch, counts_);
  std::size_t changes = 0;
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < batch.datagrams.size(); ++i) {
    bytes += batch.datagrams[i].bytes.size();
    if (i > 0 && batch.datagrams[i].path != batch.datagrams[i - 1].path) ++changes;
  }
  EXPECT_EQ(changes, kReceivers - 1);
  EXPECT_EQ(counts_.bytes, bytes);
}

// One receiver's SDP says a=cryptex, the others' do not.
TEST_F(LiteForward, CryptexIsEachReceiversOwn) {
  if (!srtp::has_cryptex()) GTEST_SKIP() << "libsrtp has cryptex from 2.8.0 on";
  ASSERT_TRUE(world_.server.set_cryptex(sessions_[0], srtp::Cryptex::on));
  ASSERT_TRUE(world_.clients[0]->transport.set_cryptex(srtp::Cryptex::required));
  Collected batch;
  const auto sent = packets(1);
  forward(world_.server, std::span(sent), std::span(receivers_), world_.now, batch, counts_);
  ASSERT_EQ(batch.datagrams.size(), kReceivers);
  // The extension with the transport-wide number follows the fixed header.
  EXPECT_EQ(batch.datagrams[0].bytes[12], std::byte{0xc0});
  EXPECT_EQ(batch.datagrams[1].bytes[12], std::byte{0xbe});
  arrive(batch);
  for (std::size_t i = 0; i < kReceivers; ++i) {
    ASSERT_EQ(world_.clients[i]->rtp.size(), 1U) << i;
    const auto got = rtp::read_packet(world_.clients[i]->rtp.front());
    ASSERT_TRUE(got);
    EXPECT_EQ(got->extension.profile, 0xbede);
  }
  ASSERT_TRUE(world_.server.set_cryptex(sessions_[0], srtp::Cryptex::off));
  EXPECT_EQ(world_.server.set_cryptex(kNoSession, srtp::Cryptex::off).error().code,
            dtls::Errc::closed);
}

TEST_F(LiteForward, CountsWhatDoesNotLeave) {
  world_.server.remove(sessions_[2]);
  Collected batch(3);
  auto sent = packets(3);
  sent[1].payload_type = rtp::PayloadType{5};
  forward(world_.server, std::span<const rtp::Packet>(sent), std::span(receivers_), world_.now,
          batch, counts_);
  EXPECT_EQ(counts_.packets, 3U);
  EXPECT_EQ(counts_.count(rtp::NotForwarded::payload_type), 1U);  // of the first receiver
  EXPECT_EQ(counts_.no_room, 5U);
  Collected other;
  forward(world_.server, std::span<const rtp::Packet>(sent), std::span(receivers_).last(1),
          world_.now, other, counts_);
  EXPECT_EQ(counts_.count(srtp::PacketError::no_key), 2U);
  EXPECT_TRUE(other.datagrams.empty());
}

TEST_F(LiteForward, RepeatsUnderItsOwnNumberWithoutRtx) {
  Collected batch;
  const auto sent = packets(1);
  const std::span<const Forward> first(receivers_.data(), 1);
  forward(world_.server, std::span(sent), first, world_.now, batch, counts_);
  world_.now += 100ms;
  const auto number = sent[0].sequence_number;
  forward_again(world_.server, number, sent[0], receivers_[0], world_.now, batch, counts_);
  ASSERT_EQ(batch.datagrams.size(), 2U);
  EXPECT_EQ(batch.datagrams[0].bytes, batch.datagrams[1].bytes);
  EXPECT_EQ(numbers_[0], rtp::SequenceNumber{1});
}

TEST_F(LiteForward, RepeatsAsRtx) {
  Collected batch;
  const auto sent = packets(1);
  const std::span<const Forward> second(&receivers_[1], 1);
  forward(world_.server, std::span(sent), second, world_.now, batch, counts_);
  const auto number = sent[0].sequence_number;
  forward_again(world_.server, number, sent[0], receivers_[1], world_.now, batch, counts_);
  const auto& got = arrive(batch);
  ASSERT_EQ(got.size(), 2U);
  const auto again = rtp::read_packet(got[1]);
  EXPECT_EQ(again->ssrc, rtp::Ssrc{200});
  EXPECT_EQ(again->payload_type, rtp::PayloadType{120});
  EXPECT_TRUE(std::ranges::equal(again->payload.subspan(2), sent[0].payload));
  EXPECT_EQ(numbers_[1], rtp::SequenceNumber{2});
  forward_again(world_.server, number + 1, sent[0], receivers_[1], world_.now, batch, counts_);
  EXPECT_EQ(counts_.count(rtp::NotForwarded::not_repeatable), 1U);
}

}  // namespace
}  // namespace sluice::ice_lite
