#include <gmock/gmock.h>
#include <sluice/dtls/capture.h>

#include "support/bytes.h"
#include "support/pcapng_file.h"

namespace sluice::dtls {
namespace {

using test::bytes_of;
using test::read_pcapng;
using test::to_hex;
using testing::ElementsAre;

constexpr ConnectionNumber kFirst{1};
constexpr ConnectionNumber kSecond{2};

ObservedDatagram datagram(Direction direction, std::string_view text,
                          ConnectionNumber connection = kFirst) {
  return {connection, direction, PathId{3}, Instant(std::chrono::seconds{5}), bytes_of(text)};
}

TEST(Capture, KeysStandBeforeTheDatagramThatLedToThem) {
  Capture capture;
  capture.on_datagram(datagram(Direction::received, "hello"));
  capture.on_datagram(datagram(Direction::received, "and its keys"));
  capture.add_line("LABEL 01 02");
  capture.add_line("LABEL 03 04");
  const auto file = read_pcapng(capture.take());
  EXPECT_EQ(file.packets_before_key_log, 1);
  EXPECT_EQ(file.packets.size(), 2);
  EXPECT_THAT(file.key_log, ElementsAre("LABEL 01 02", "LABEL 03 04"));
}

TEST(Capture, ADatagramsDiscardsAreItsComment) {
  Capture capture;
  capture.on_datagram(datagram(Direction::received, "one"));
  capture.on_discard({kFirst, {}, Discard::replayed});
  capture.on_discard({kFirst, {}, Discard::unknown_epoch});
  capture.on_discard({kSecond, {}, Discard::malformed_record});
  capture.on_datagram(datagram(Direction::received, "two"));
  const auto file = read_pcapng(capture.take());
  EXPECT_EQ(file.packets.at(0).comment, "discarded: replayed, unknown_epoch");
  EXPECT_EQ(file.packets.at(1).comment, "");
}

TEST(Capture, MadeUpAddressesTellConnectionsAndPathsApart) {
  Capture capture;
  capture.on_datagram(datagram(Direction::received, "in"));
  capture.on_datagram(datagram(Direction::sent, "out", kSecond));
  const auto file = read_pcapng(capture.take());
  const auto& in = file.packets.at(0);
  const auto& out = file.packets.at(1);
  EXPECT_EQ(to_hex(in.source), "20010db8000000000000000100000003");
  EXPECT_EQ(to_hex(in.destination), "20010db8000000000000000000000001");
  EXPECT_EQ(out.source, in.destination);
  EXPECT_EQ(to_hex(out.destination), "20010db8000000000000000200000003");
  EXPECT_EQ(in.flags, 1);
  EXPECT_EQ(out.flags, 2);
}

TEST(Capture, TakesAddressesAndTheTimeOfDayFromTheCaller) {
  Capture capture({.epoch = std::chrono::hours{24}, .addresses = [](ConnectionNumber, PathId path) {
                     const auto port = static_cast<std::uint16_t>(path);
                     return CaptureOptions::Path{{Ipv4Address{10, 0, 0, 1}, port},
                                                 {Ipv4Address{10, 0, 0, 2}, 7}};
                   }});
  capture.on_datagram(datagram(Direction::sent, "out"));
  const auto packet = read_pcapng(capture.take()).packets.at(0);
  EXPECT_EQ(packet.time, 86'405'000'000);
  EXPECT_EQ(to_hex(packet.source), "0a000001");
  EXPECT_EQ(packet.source_port, 3);
  EXPECT_EQ(packet.destination_port, 7);
}

TEST(Capture, TakeHoldsNothingBack) {
  Capture capture;
  const std::size_t head = capture.take().size();
  EXPECT_GT(head, 0);
  capture.on_datagram(datagram(Direction::sent, "out"));
  EXPECT_GT(capture.take().size(), 0);
  EXPECT_EQ(capture.take().size(), 0);
}

}  // namespace
}  // namespace sluice::dtls
