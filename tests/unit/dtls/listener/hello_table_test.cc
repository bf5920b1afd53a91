#include "listener/hello_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "support/bytes.h"
#include "support/endpoints.h"
#include "wire/writer.h"

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

HelloTable make_table(std::size_t entries, std::size_t max_length = 2000) {
  return {entries, max_length, test::must(crypto::KeyedHash::make(test::environment().library()))};
}

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
    HelloTable table = make_table(1);
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
  HelloTable table = make_table(2);
  add(table, piece(hello, 0, 100));
  add(table, piece(hello, 0, 100));
  add(table, piece(hello, 0, 100), kElsewhere);
  EXPECT_EQ(add(table, piece(hello, 100, 200)).bytes_received(), 125U + 125U + 225U);
}

TEST(HelloTable, KeepsSendersMessagesAndLengthsApart) {
  const Buffer hello = counted(300);
  const Buffer longer = counted(301);
  HelloTable table = make_table(8);
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
  HelloTable table = make_table(3);
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
  HelloTable table = make_table(1);
  table.release(add(table, piece(hello, 0, 100)));
  EXPECT_EQ(table.in_use(), 0U);
  EXPECT_FALSE(add(table, piece(hello, 100, 200)).whole()) << "what it held is forgotten";
  EXPECT_EQ(table.evictions(), 0U);
}

TEST(HelloTable, APieceThatContradictsTheOthersStartsOver) {
  const Buffer hello = counted(300);
  const Buffer another(300, std::byte{0xaa});
  HelloTable table = make_table(1);
  add(table, piece(hello, 0, 200));
  EXPECT_FALSE(add(table, piece(another, 150, 150)).whole());
  const auto& entry = add(table, piece(another, 0, 150));
  EXPECT_TRUE(entry.whole());
  EXPECT_EQ(copy_of(entry.body()), another);
}

TEST(HelloTable, WhatTookTooLongStartsOver) {
  const Buffer hello = counted(300);
  HelloTable table = make_table(1);
  add(table, piece(hello, 0, 200));
  const Instant late = Instant{} + HelloTable::kLifetime;
  EXPECT_FALSE(add(table, piece(hello, 200, 50), kHere, late).whole());
  EXPECT_FALSE(add(table, piece(hello, 250, 50), kHere, late + 1us).whole());
  EXPECT_TRUE(add(table, piece(hello, 0, 250), kHere, late + 2us).whole());
}

Buffer numbered_address(std::uint32_t number) {
  Buffer address(6);
  wire::store(MutableBytes(address).first(4), number);
  return address;
}

// Against a list in the order of use. Senders come, return and are answered.
TEST(HelloTable, FindsAndReplacesAsAListInTheOrderOfUseDoes) {
  constexpr std::size_t kEntries = 50;
  const Buffer hello = counted(300);
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    HelloTable table = make_table(kEntries);
    std::vector<std::uint32_t> used;  // the oldest first
    std::uint64_t evicted = 0;
    for (int i = 0; i < 3000; ++i) {
      const auto sender = static_cast<std::uint32_t>(random() % 80);
      const auto known = std::ranges::find(used, sender);
      const bool is_known = known != used.end();
      auto& entry = add(table, piece(hello, is_known ? 100 : 0, 10), numbered_address(sender));
      // What it has kept: one piece of an unknown sender, two of one that has been there before.
      EXPECT_EQ(entry.bytes_received() > 35, is_known);
      if (is_known) used.erase(known);
      if (!is_known && used.size() == kEntries) {
        used.erase(used.begin());
        ++evicted;
      }
      if (random() % 4 == 0) {
        table.release(entry);
      } else {
        used.push_back(sender);
      }
      ASSERT_EQ(table.in_use(), used.size());
      ASSERT_EQ(table.evictions(), evicted);
    }
  }
}

// A search must not take longer because a sender can choose what it is found by, or because the
// table is large.
TEST(HelloTable, ASearchIsShortHoweverLargeTheTable) {
  constexpr std::uint32_t kEntries = 65536;
  HelloTable table = make_table(kEntries, 16);
  const Buffer hello = counted(10);
  for (std::uint32_t i = 0; i < 3 * kEntries; ++i) {
    add(table, piece(hello, 0, 1, static_cast<std::uint16_t>(i % 16)), numbered_address(i / 16));
  }
  EXPECT_EQ(table.in_use(), kEntries);
  EXPECT_EQ(table.evictions(), 2 * kEntries);
  RecordProperty("longest_search", static_cast<int>(table.longest_search()));
  // As many fall into each bucket as there are entries for it on the average: one. That 20 of
  // 65,536 fall into one of as many buckets has a probability below 1e-13.
  EXPECT_LT(table.longest_search(), 20U);
}

// More parts than the table follows: what was dropped comes again when the client repeats itself.
TEST(HelloTable, PartsAreBounded) {
  const Buffer hello = counted(600);
  HelloTable table = make_table(1);
  for (std::size_t at = 0; at < hello.size(); at += 2) add(table, piece(hello, at, 1));
  // The first parts are there: what joins them makes room.
  for (std::size_t at = 1; at < 2 * HelloTable::kMaxParts; at += 2) {
    EXPECT_FALSE(add(table, piece(hello, at, 1)).whole());
  }
  const auto& entry = add(table, piece(hello, 64, 536));
  EXPECT_TRUE(entry.whole());
  EXPECT_EQ(copy_of(entry.body()), hello);
}

TEST(HelloTable, MayHaveNoEntries) {
  HelloTable table = make_table(0);
  EXPECT_EQ(table.open(kHere, piece(counted(9), 0, 1).header, 100, {}), nullptr);
}

}  // namespace
}  // namespace sluice::dtls::listener
