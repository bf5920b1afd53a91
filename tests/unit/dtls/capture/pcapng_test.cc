// The pcapng format (draft-ietf-opsawg-pcapng).
#include <gmock/gmock.h>

#include "support/bytes.h"
#include "support/pcapng_file.h"

namespace sluice::dtls {
namespace {

using test::bytes_of;
using test::counted;
using test::from_hex;
using test::read_pcapng;
using test::to_hex;

constexpr UdpEndpoint kOwn4{Ipv4Address{192, 0, 2, 1}, 5000};
constexpr UdpEndpoint kPeer4{Ipv4Address{198, 51, 100, 7}, 61000};
constexpr UdpEndpoint kOwn6{Ipv6Address{0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1},
                            5000};

PcapngPacket packet_of(Bytes payload) {
  return {.source = kOwn4,
          .destination = kPeer4,
          .direction = Direction::sent,
          .time = std::chrono::microseconds{1},
          .payload = payload};
}

TEST(Pcapng, BeginsWithASectionInNetworkOrderAndAnInterfaceOfRawIp) {
  PcapngWriter writer;
  EXPECT_EQ(to_hex(writer.take()), to_hex(from_hex("0a0d0d0a 0000001c"
                                                   "1a2b3c4d 0001 0000 ffffffff ffffffff"
                                                   "0000001c"
                                                   "00000001 00000014 0065 0000 00000000"
                                                   "00000014")));
}

TEST(Pcapng, TakeGivesWhatCameSinceTheLast) {
  PcapngWriter writer;
  const Buffer head = writer.take();
  EXPECT_TRUE(writer.take().empty());
  writer.add_packet(packet_of({}));
  Buffer file = head;
  const Buffer block = writer.take();
  file.insert(file.end(), block.begin(), block.end());
  EXPECT_EQ(read_pcapng(file).packets.size(), 1);
}

// By hand: headers as RFC 791 and RFC 768 draw them, the checksums reckoned apart.
TEST(Pcapng, APacketIsWhatItShouldBeByteForByte) {
  PcapngWriter writer;
  writer.take();
  writer.add_packet(packet_of(bytes_of("hello")));
  EXPECT_EQ(to_hex(writer.take()), to_hex(from_hex("00000006 00000050"
                                                   "00000000 00000000 00000001 00000021 00000021"
                                                   "45000021 00004000 40114e90 c0000201 c6336407"
                                                   "1388ee48 000d cdf4 68656c6c 6f 000000"
                                                   "0002 0004 00000002 0000 0000"
                                                   "00000050")));
}

TEST(Pcapng, EverySizeIsPaddedAndReadsBack) {
  for (std::size_t size = 0; size < 20; ++size) {
    for (const UdpEndpoint& own : {kOwn4, kOwn6}) {
      PcapngWriter writer;
      const Buffer payload = counted(size);
      auto packet = packet_of(payload);
      packet.source = own;
      packet.comment = std::string_view("twenty bytes at most").substr(0, size);
      writer.add_packet(packet);
      const auto file = read_pcapng(writer.take());
      ASSERT_EQ(file.packets.size(), 1);
      EXPECT_EQ(file.packets.front().payload, payload);
      EXPECT_EQ(file.packets.front().comment, packet.comment);
      EXPECT_EQ(file.packets.front().source_port, 5000);
      EXPECT_EQ(file.packets.front().destination_port, 61000);
    }
  }
}

TEST(Pcapng, AnIpv4AddressBesideAnIpv6OneIsMapped) {
  PcapngWriter writer;
  auto packet = packet_of({});
  packet.source = kOwn6;
  writer.add_packet(packet);
  const auto read = read_pcapng(writer.take()).packets.at(0);
  EXPECT_EQ(read.ip_version, 6);
  EXPECT_EQ(to_hex(read.source), "20010db8000000000000000000000001");
  EXPECT_EQ(to_hex(read.destination), "00000000000000000000ffffc6336407");
}

TEST(Pcapng, TimesHave64BitsAndDirectionsAFlag) {
  PcapngWriter writer;
  auto packet = packet_of({});
  packet.time = std::chrono::microseconds{0x0005'9abc'def0'1234};
  writer.add_packet(packet);
  packet.direction = Direction::received;
  writer.add_packet(packet);
  const auto file = read_pcapng(writer.take());
  EXPECT_EQ(file.packets.at(0).time, 0x0005'9abc'def0'1234);
  EXPECT_EQ(file.packets.at(0).flags, 2);
  EXPECT_EQ(file.packets.at(1).flags, 1);
}

TEST(Pcapng, WhatUdpCantCarryIsLeftOut) {
  PcapngWriter writer;
  const Buffer payload = counted(70000);
  writer.add_packet(packet_of(payload));
  EXPECT_EQ(read_pcapng(writer.take()).packets.at(0).payload, counted(65507));
}

TEST(Pcapng, AChecksumOfZeroIsWrittenAsAllOnes) {
  // Two bytes of payload run through all sums.
  PcapngWriter writer;
  for (unsigned value = 0; value < 0x10000; ++value) {
    const Buffer payload{static_cast<std::byte>(value >> 8), static_cast<std::byte>(value & 0xff)};
    writer.add_packet(packet_of(payload));
  }
  // The reader refuses a checksum of 0.
  EXPECT_EQ(read_pcapng(writer.take()).packets.size(), 0x10000);
}

TEST(Pcapng, SecretsAreABlockOfTheirOwn) {
  PcapngWriter writer;
  writer.take();
  writer.add_key_log("A b c\n");
  EXPECT_EQ(to_hex(writer.take()),
            to_hex(from_hex("0000000a 0000001c 544c534b 00000006 4120622063 0a 0000 0000001c")));
}

}  // namespace
}  // namespace sluice::dtls
