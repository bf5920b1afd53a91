// KeyUpdate without end (RFC 9147 section 8), and many records on few keys.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "support/endpoints.h"

namespace sluice::test {
namespace {

using dtls::Buffer;
using dtls::Errc;
using dtls::KeyUpdateRequest;

// Sees that no nonce is used twice under one key: the same plaintext would become the same
// ciphertext.
class NonceWatch {
 public:
  // A record of kPlaintext, as it left.
  void saw(const Buffer& record) {
    std::memcpy(seen_.emplace_back().data(), &record[kHeader], kSize);
  }
  [[nodiscard]] std::size_t records() const { return seen_.size(); }
  [[nodiscard]] bool saw_a_nonce_twice() {
    std::ranges::sort(seen_);
    return std::ranges::adjacent_find(seen_) != seen_.end();
  }

  static constexpr std::size_t kSize = 16;
  static inline const Buffer kPlaintext = Buffer(kSize, std::byte{0x42});

 private:
  static constexpr std::size_t kHeader = 5;  // of DTLS 1.3, as Sluice writes it
  std::vector<std::array<std::byte, kSize>> seen_;
};

struct Pair {
  explicit Pair(const dtls::ConfigOptions& options)
      : client(make_client(make_config(options))), server(make_server(make_config(options))) {
    exchange(client, server);
  }
  // One record each way.
  void talk() {
    send(client, server);
    send(server, client);
  }
  void send(Peer& from, Peer& to) {
    Buffer record = from.seal(NonceWatch::kPlaintext);
    watch.saw(record);
    to.receive(std::move(record), now);
    ASSERT_EQ(to.data.size(), 1U);
    EXPECT_EQ(to.data.front(), NonceWatch::kPlaintext);
    to.data.clear();
  }

  // Time enough for timers, also that of an ACK that waits for more to come (RFC 9147 section 7).
  void rest() {
    now += std::chrono::seconds{1};
    for (Peer* peer : {&client, &server}) {
      peer->settle(peer->connection().handle_timeout(now), now);
    }
    exchange(client, server, now);
  }

  Peer client;
  Peer server;
  dtls::Instant now{};
  NonceWatch watch;  // of both: their keys differ
};

dtls::ConfigOptions options13() {
  dtls::ConfigOptions chosen = options();
  chosen.min_version = chosen.max_version = dtls::ProtocolVersion::dtls13;
  return chosen;
}

// RFC 9147 section 5.2: message_seq must not wrap. Behind its last number the connection ends, by
// name.
TEST(KeyUpdateStorm, EndsByNameWhenMessageNumbersAreUsedUp) {
  Pair pair(options13());
  ASSERT_TRUE(pair.client.connected && pair.server.connected);
  unsigned updates = 0;
  while (!pair.client.error && !pair.server.error) {
    ASSERT_LT(updates, 70'000U);
    Peer& asking = updates % 2 == 0 ? pair.client : pair.server;
    asking.settle(asking.connection().update_keys(KeyUpdateRequest::update_requested, pair.now),
                  pair.now);
    exchange(pair.client, pair.server, pair.now);
    pair.rest();
    pair.rest();
    if (pair.client.error || pair.server.error) break;
    ++updates;
    if (updates % 16 == 0) pair.talk();
  }
  const auto ended_by_name = [](const Peer& peer) {
    return peer.error && peer.error->code == Errc::message_seq_exhausted;
  };
  EXPECT_TRUE(ended_by_name(pair.client) || ended_by_name(pair.server));
  // Each update takes a number of each side's; the server's handshake has taken six.
  EXPECT_EQ(updates, 65'536U - 6);
  EXPECT_GT(pair.watch.records(), 8'000U);
  EXPECT_FALSE(pair.watch.saw_a_nonce_twice());
}

// RFC 9147 section 4.5.3: keys change before their limit, and nothing is lost by it.
TEST(KeyLimits, AMillionRecordsOnKeysOfAThousand) {
  dtls::ConfigOptions chosen = options13();
  chosen.max_records_per_key = 1024;
  Pair pair(chosen);
  constexpr std::size_t kRecords = std::size_t{1} << 20;
  for (std::size_t i = 0; i < kRecords / 2; ++i) {
    pair.talk();
    ASSERT_FALSE(HasFatalFailure()) << i;
    if (i % 64 == 0) pair.rest();
  }
  EXPECT_EQ(pair.watch.records(), kRecords);
  EXPECT_FALSE(pair.watch.saw_a_nonce_twice());
}

// A peer that acknowledges nothing can't make a key last longer.
TEST(KeyLimits, WithoutAnAcknowledgementDataStops) {
  dtls::ConfigOptions chosen = options13();
  chosen.max_records_per_key = 64;
  Pair pair(chosen);
  Buffer out(2048);
  std::size_t sealed = 0;
  while (pair.client.connection().seal(NonceWatch::kPlaintext, out)) {
    ASSERT_LT(++sealed, 64U);
    if (sealed == 32) {
      EXPECT_LE(pair.client.connection().next_timeout(), dtls::Instant{}) << "wants to update";
      pair.client.settle(pair.client.connection().handle_timeout({}), {});
      EXPECT_FALSE(pair.client.take_datagrams().empty()) << "the KeyUpdate, which is lost";
    }
  }
  EXPECT_EQ(pair.client.connection().seal(NonceWatch::kPlaintext, out),
            tl::unexpected(dtls::SendError::limit_reached));
  EXPECT_GT(sealed, 48U);
  EXPECT_FALSE(pair.client.error);
}

// Past the integrity limit the connection ends, with bad_record_mac.
TEST(KeyLimits, TooManyForgeriesEndTheConnection) {
  dtls::ConfigOptions chosen = options13();
  chosen.max_forgeries_per_key = 10;
  Pair pair(chosen);
  for (unsigned i = 0; i <= 10; ++i) {
    ASSERT_FALSE(pair.server.error) << i;
    Buffer record = pair.client.seal(NonceWatch::kPlaintext);
    record.back() ^= std::byte{1};
    pair.server.receive(std::move(record), {});
  }
  ASSERT_TRUE(pair.server.error);
  EXPECT_EQ(pair.server.error->code, Errc::integrity_limit_reached);
  EXPECT_EQ(pair.server.error->alert, dtls::Alert::bad_record_mac);
}

TEST(KeyUpdate, IsOfDtls13Alone) {
  dtls::ConfigOptions chosen = options();
  chosen.max_version = dtls::ProtocolVersion::dtls12;
  Pair pair(chosen);
  const auto refused = pair.client.connection().update_keys(KeyUpdateRequest::update_requested, {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::invalid_argument);
  EXPECT_TRUE(pair.client.connection().connected()) << "nothing has changed";

  Peer alone = make_client(make_config(options13()));
  EXPECT_EQ(alone.connection().update_keys(KeyUpdateRequest::update_requested, {}).error().code,
            Errc::not_connected);
}

}  // namespace
}  // namespace sluice::test
