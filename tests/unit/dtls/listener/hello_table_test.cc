#include "listener/hello_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "support/bytes.h"

namespace sluice::dtls::listener {
namespace {

using namespace std::chrono_literals;
using message::HandshakeFragment;
using message::HandshakeHeader;
using test::copy_of;
using test::counted;
using test::from_hex;

const Buffer kHere = from_hex("7f000001 1234");
const Buffer kElsewhere = from_hex("7f000001 1235");

// A piece of a hello, which must outlive it.
HandshakeFragment piece(const Buffer& hello, std::size_t offset, std::size_t size,
                        std::uint16_t seq = 0) {
  const HandshakeHeader header{
      wire::HandshakeType::client_hello, static_cast<std::uint32_t>(hello.size()),
      wire::MessageSeq{seq}, static_cast<std::uint32_t>(offset), static_cast<std::uint32_t>(size)};
  return {header, Bytes(hello).subspan(offset, size)};
}

// Each piece in a datagram of its own, 25 bytes longer.
HelloTable::Entry& add(HelloTable& table, const HandshakeFragment& fragment,
                       const Buffer& address = kHere, Instant now = {}) {
  auto* entry = table.open(address, fragment.header, fragment.body.size() + 25, now);
  entry->add(fragment);
  return *entry;
}

TEST(HelloTable, PutsPiecesTogetherInAnyOrderAndCut) {
  const Buffer hello = counted(1500);
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    std::uniform_int_distribution<std::size_t> place(0, hello.size() - 1);
    HelloTable table(1, 2000);
    bool whole = false;
    std::vector<bool> came(hello.size());
    for (int i = 0; i < 1000 && !whole; ++i) {
      const std::size_t offset = std::max<std::size_t>(place(random), 100) - 100;
      const std::size_t size = std::min(1 + place(random) % 500, hello.size() - offset);
      std::fill_n(came.begin() + static_cast<std::ptrdiff_t>(offset), size, true);
      const auto& entry = add(table, piece(hello, offset, size));
      whole = entry.whole();
      ASSERT_EQ(whole, std::ranges::find(came, false) == came.end());
      if (whole) {
        EXPECT_EQ(copy_of(entry.body()), hello);
      }
    }
    EXPECT_TRUE(whole);
  }
}

TEST(HelloTable, CountsTheBytesOfAllItsDatagrams) {
  const Buffer hello = counted(300);
  HelloTable table(2, 2000);
  add(table, piece(hello, 0, 100));
  add(table, piece(hello, 0, 100));
  add(table, piece(hello, 0, 100), kElsewhere);
  EXPECT_EQ(add(table, piece(hello, 100, 200)).bytes_received(), 125U + 125U + 225U);
}

TEST(HelloTable, KeepsSendersMessagesAndLengthsApart) {
  const Buffer hello = counted(300);
  const Buffer longer = counted(301);
  HelloTable table(8, 2000);
  EXPECT_FALSE(add(table, piece(hello, 0, 100)).whole());
  EXPECT_FALSE(add(table, piece(hello, 100, 200), kElsewhere).whole());
  EXPECT_FALSE(add(table, piece(hello, 100, 200), from_hex("7f000001 12")).whole());
  EXPECT_FALSE(add(table, piece(hello, 100, 200, 1)).whole());
  EXPECT_FALSE(add(table, piece(longer, 100, 200)).whole());
  EXPECT_EQ(table.in_use(), 5U);
  EXPECT_TRUE(add(table, piece(hello, 100, 200)).whole());
}

TEST(HelloTable, TheOldestGivesWay) {
  const Buffer hello = counted(300);
  HelloTable table(3, 2000);
  const auto address = [](int i) { return Buffer(6, static_cast<std::byte>(i)); };
  for (const int i : {0, 1, 2}) add(table, piece(hello, 0, 100), address(i));
  add(table, piece(hello, 100, 100), address(0));  // the oldest is 1 now
  EXPECT_EQ(table.evictions(), 0U);
  add(table, piece(hello, 0, 100), address(3));
  EXPECT_EQ(table.evictions(), 1U);
  EXPECT_EQ(table.in_use(), 3U);
  EXPECT_TRUE(add(table, piece(hello, 200, 100), address(0)).whole());
  EXPECT_TRUE(add(table, piece(hello, 100, 200), address(2)).whole());
  EXPECT_FALSE(add(table, piece(hello, 100, 200), address(1)).whole());
}

TEST(HelloTable, AReleasedEntryIsFree) {
  const Buffer hello = counted(300);
  HelloTable table(1, 2000);
  HelloTable::release(add(table, piece(hello, 0, 100)));
  EXPECT_EQ(table.in_use(), 0U);
  EXPECT_FALSE(add(table, piece(hello, 100, 200)).whole()) << "what it held is forgotten";
  EXPECT_EQ(table.evictions(), 0U);
}

TEST(HelloTable, APieceThatContradictsTheOthersStartsOver) {
  const Buffer hello = counted(300);
  const Buffer another(300, std::byte{0xaa});
  HelloTable table(1, 2000);
  add(table, piece(hello, 0, 200));
  EXPECT_FALSE(add(table, piece(another, 150, 150)).whole());
  const auto& entry = add(table, piece(another, 0, 150));
  EXPECT_TRUE(entry.whole());
  EXPECT_EQ(copy_of(entry.body()), another);
}

TEST(HelloTable, WhatTookTooLongStartsOver) {
  const Buffer hello = counted(300);
  HelloTable table(1, 2000);
  add(table, piece(hello, 0, 200));
  const Instant late = Instant{} + HelloTable::kLifetime;
  EXPECT_FALSE(add(table, piece(hello, 200, 50), kHere, late).whole());
  EXPECT_FALSE(add(table, piece(hello, 250, 50), kHere, late + 1us).whole());
  EXPECT_TRUE(add(table, piece(hello, 0, 250), kHere, late + 2us).whole());
}

TEST(HelloTable, MayHaveNoEntries) {
  HelloTable table(0, 2000);
  EXPECT_EQ(table.open(kHere, piece(counted(9), 0, 1).header, 100, {}), nullptr);
}

}  // namespace
}  // namespace sluice::dtls::listener
