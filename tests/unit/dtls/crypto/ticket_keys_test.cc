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
