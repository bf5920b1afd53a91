// The keys that seal tickets (RFC 5077 section 4).
#include <sluice/dtls/resumption.h>

#include <gtest/gtest.h>

#include <chrono>
#include <set>

#include "support/bytes.h"
#include "support/endpoints.h"

namespace sluice::dtls {
namespace {

using namespace std::chrono_literals;
using test::counted;
using test::must;

constexpr std::size_t kName = 16;
constexpr std::size_t kNonce = 12;

crypto::Library& library() { return test::environment().library(); }

Buffer part(Bytes ticket, std::size_t at, std::size_t size) {
  const Bytes bytes = ticket.subspan(at, size);
  return {bytes.begin(), bytes.end()};
}

TEST(TicketKeys, NoNonceIsUsedTwiceUnderAKey) {
  TicketKeys keys(1h);
  std::set<Buffer> names;
  std::set<Buffer> nonces;
  for (int i = 0; i < 300; ++i) {
    const Buffer ticket = must(keys.seal(library(), counted(10), Instant{}));
    names.insert(part(ticket, 0, kName));
    nonces.insert(part(ticket, kName, kNonce));
  }
  EXPECT_EQ(names.size(), 1U);
  EXPECT_EQ(nonces.size(), 300U);
}

TEST(TicketKeys, AKeyIsReplacedAfterARotationAndEndsAfterTwo) {
  TicketKeys keys(1h);
  const Buffer ticket = must(keys.seal(library(), counted(10), Instant{}));
  const auto opens = [&](Instant now) {
    return must(keys.open(library(), ticket, now)).session == counted(10);
  };
  const auto name_at = [&](Instant now) {
    return part(must(keys.seal(library(), counted(10), now)), 0, kName);
  };
  EXPECT_EQ(name_at(Instant{1h - 1us}), part(ticket, 0, kName));
  EXPECT_TRUE(opens(Instant{2h - 1us}));
  EXPECT_FALSE(opens(Instant{2h})) << "nothing was sealed since";
  EXPECT_NE(name_at(Instant{1h}), part(ticket, 0, kName));
  EXPECT_TRUE(opens(Instant{2h - 1us})) << "by the key before";
  EXPECT_FALSE(opens(Instant{2h}));
}

TEST(TicketKeys, TellWhenTheNextOnesAreDue) {
  TicketKeys keys(1h);
  EXPECT_EQ(keys.next_rotation(), std::nullopt);
  must(keys.seal(library(), counted(10), Instant{5h}));
  EXPECT_EQ(keys.next_rotation(), Instant{6h});
  const SecretBytes before = must(keys.export_keys(test::environment(), Instant{6h - 1us}));
  EXPECT_EQ(keys.next_rotation(), Instant{6h});
  must(keys.export_keys(test::environment(), Instant{6h}));
  EXPECT_EQ(keys.next_rotation(), Instant{7h});
  must(keys.import_keys(test::environment(), before.bytes()));
  EXPECT_EQ(keys.next_rotation(), Instant{6h});
  TicketKeys eternal(Duration::max());
  must(eternal.seal(library(), counted(10), Instant{1h}));
  EXPECT_EQ(eternal.next_rotation(), Instant::max());
}

// ---- keys that several servers share

TEST(TicketKeys, ServersThatShareThemReadEachOthersTickets) {
  TicketKeys one(1h);
  const Buffer old = must(one.seal(library(), counted(10), Instant{}));
  const Buffer first = must(one.seal(library(), counted(10), Instant{1h}));
  TicketKeys other(1h);
  const SecretBytes keys = must(one.export_keys(test::environment(), Instant{1h}));
  must(other.import_keys(test::environment(), keys.bytes()));
  const auto opens = [&](TicketKeys& by, const Buffer& ticket) {
    return must(by.open(library(), ticket, Instant{1h})).session == counted(10);
  };
  EXPECT_TRUE(opens(other, old));
  EXPECT_TRUE(opens(other, first));
  EXPECT_TRUE(opens(one, must(other.seal(library(), counted(10), Instant{1h}))));
  // And after a restart of the first.
  TicketKeys again(1h);
  must(again.import_keys(test::environment(), keys.bytes()));
  EXPECT_TRUE(opens(again, first));
}

TEST(TicketKeys, ServersThatShareAKeyShareNoNonce) {
  TicketKeys one(1h);
  const SecretBytes keys = must(one.export_keys(test::environment(), Instant{}));
  TicketKeys other(1h);
  must(other.import_keys(test::environment(), keys.bytes()));
  TicketKeys third(1h);
  must(third.import_keys(test::environment(), keys.bytes()));
  std::set<Buffer> nonces;
  for (int i = 0; i < 100; ++i) {
    for (TicketKeys* server : {&one, &other, &third}) {
      nonces.insert(part(must(server->seal(library(), counted(10), Instant{})), kName, kNonce));
    }
    // Importing what it has does not make one begin again.
    must(other.import_keys(test::environment(), keys.bytes()));
  }
  EXPECT_EQ(nonces.size(), 300U);
}

TEST(TicketKeys, OtherBytesAreRefused) {
  TicketKeys one(1h);
  must(one.seal(library(), counted(10), Instant{}));
  const SecretBytes keys = must(one.export_keys(test::environment(), Instant{2h}));
  TicketKeys other(1h);
  for (std::size_t size = 0; size < keys.size(); ++size) {
    const bool is_one_key = size == 1 + (keys.size() - 1) / 2;
    EXPECT_EQ(other.import_keys(test::environment(), keys.bytes().first(size)).has_value(),
              is_one_key)
        << size;
  }
  Buffer changed = test::copy_of(keys.bytes());
  changed.front() = std::byte{2};
  EXPECT_FALSE(other.import_keys(test::environment(), changed));
}

TEST(TicketKeys, AChangedTicketDoesNotOpen) {
  TicketKeys keys(1h);
  const Buffer ticket = must(keys.seal(library(), counted(10), Instant{}));
  for (std::size_t i = 0; i < ticket.size(); ++i) {
    Buffer changed = ticket;
    changed[i] ^= std::byte{1};
    EXPECT_TRUE(must(keys.open(library(), changed, Instant{})).session.empty()) << i;
  }
  EXPECT_EQ(must(keys.open(library(), ticket, Instant{})).session, counted(10));
}

}  // namespace
}  // namespace sluice::dtls
