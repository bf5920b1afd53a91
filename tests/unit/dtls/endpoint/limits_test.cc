// How many are let in, and who has to go.
#include <gtest/gtest.h>

#include "support/by_version.h"
#include "support/endpoint_host.h"

namespace sluice::test {
namespace {

using namespace std::chrono_literals;
using dtls::Buffer;
using dtls::EndpointOptions;
using dtls::EndReason;
using dtls::Instant;
using dtls::Refusal;

class EndpointLimits : public ByVersion {
 protected:
  static EndpointHost host(EndpointOptions options) {
    return EndpointHost(make_config(ByVersion::options()), std::move(options));
  }
  static Peer client(Instant now = {}) { return make_client(make_config(options()), now); }

  static bool connects(EndpointHost& host, const dtls::UdpPath& path, Instant now = {}) {
    Peer peer = client(now);
    exchange(peer, path, host, now);
    return works(peer, path, host, now);
  }

  // Gets its cookie and asks to be let in.
  static Peer begin(EndpointHost& host, const dtls::UdpPath& path, Instant now = {}) {
    Peer peer = client(now);
    for (int turn = 0; turn < 2; ++turn) {
      for (auto& datagram : peer.take_datagrams()) host.receive(std::move(datagram), path, now);
      for (auto& sent : host.take_datagrams()) {
        if (turn == 0) peer.receive(std::move(sent.datagram), now);
      }
    }
    return peer;
  }
};

TEST_P(EndpointLimits, NoMoreConnectionsThanAllowed) {
  auto limited = host({.max_connections = 2});
  EXPECT_TRUE(connects(limited, path_of(1)));
  EXPECT_TRUE(connects(limited, path_of(2)));
  Peer third = client();
  exchange(third, path_of(3), limited);
  EXPECT_EQ(limited.endpoint.size(), 2U);
  EXPECT_GE(limited.endpoint.statistics().count(Refusal::too_many_connections), 1U);
  EXPECT_EQ(limited.endpoint.connect(make_config(options()), path_of(4), {}).error().code,
            dtls::Errc::too_many_connections);
  // Its repetition is let in when there is room again.
  ASSERT_TRUE(limited.endpoint.close(*limited.endpoint.find(path_of(1)), {}));
  limited.settle({});
  static_cast<void>(limited.take_datagrams());
  ASSERT_TRUE(third.connection().handle_timeout(Instant{1s}));
  exchange(third, path_of(3), limited, Instant{1s});
  EXPECT_TRUE(works(third, path_of(3), limited, Instant{1s}));
}

TEST_P(EndpointLimits, WhoBeginsAnewNeedsNoRoom) {
  auto limited = host({.max_connections = 1, .max_connections_per_host = 1});
  EXPECT_TRUE(connects(limited, path_of(1)));
  EXPECT_TRUE(connects(limited, path_of(1)));
  EXPECT_TRUE(connects(limited, path_of(1)));
  EXPECT_FALSE(connects(limited, path_of(1, 1)));
  ASSERT_TRUE(limited.endpoint.abort(*limited.endpoint.find(path_of(1))));
  limited.settle({});
  EXPECT_TRUE(connects(limited, path_of(1, 1)));
}

TEST_P(EndpointLimits, YoungHandshakesStay) {
  auto limited = host({.max_half_open = 2, .half_open_grace = 2s});
  const Peer first = begin(limited, path_of(1));
  const Peer second = begin(limited, path_of(2));
  const Peer third = begin(limited, path_of(3), Instant{1999ms});
  EXPECT_EQ(limited.endpoint.half_open(), 2U);
  EXPECT_EQ(limited.endpoint.find(path_of(3)), std::nullopt);
  EXPECT_EQ(limited.endpoint.statistics().count(Refusal::too_many_half_open), 1U);
}

TEST_P(EndpointLimits, TheOldestHandshakeGivesWay) {
  auto limited = host({.max_half_open = 2, .half_open_grace = 2s});
  const Peer first = begin(limited, path_of(1));
  const Peer second = begin(limited, path_of(2));
  const auto oldest = *limited.endpoint.find(path_of(1));
  EXPECT_TRUE(connects(limited, path_of(3), Instant{2s}));
  EXPECT_EQ(limited.known[oldest].ended->reason, EndReason::displaced);
  EXPECT_EQ(limited.endpoint.find(path_of(1)), std::nullopt);
  EXPECT_NE(limited.endpoint.find(path_of(2)), std::nullopt);
  EXPECT_EQ(limited.endpoint.half_open(), 1U);
}

TEST_P(EndpointLimits, AHandshakeGivesWayAlsoWhereConnectionsAreTooMany) {
  auto limited = host({.max_connections = 2, .half_open_grace = 2s});
  EXPECT_TRUE(connects(limited, path_of(1)));
  const Peer stalled = begin(limited, path_of(2));
  EXPECT_FALSE(connects(limited, path_of(3), Instant{1s}));
  EXPECT_TRUE(connects(limited, path_of(3), Instant{2s}));
  EXPECT_EQ(limited.endpoint.statistics().count(EndReason::displaced), 1U);
  EXPECT_FALSE(connects(limited, path_of(4), Instant{10s}));
  EXPECT_EQ(limited.endpoint.size(), 2U);
}

TEST_P(EndpointLimits, WhoBeginsAnewMakesNoRoomForOthers) {
  auto limited = host({.max_connections = 1, .half_open_grace = 0s});
  EXPECT_TRUE(connects(limited, path_of(1)));
  const Peer anew = begin(limited, path_of(1));
  EXPECT_EQ(limited.endpoint.half_open(), 1U);
  EXPECT_FALSE(connects(limited, path_of(2), Instant{1s}));
  EXPECT_EQ(limited.endpoint.half_open(), 1U);
}

TEST_P(EndpointLimits, OneHostHasOnlySoManyHandshakes) {
  auto limited = host({.max_half_open_per_host = 2});
  Peer first = begin(limited, path_of(1, 1));
  const Peer second = begin(limited, path_of(1, 2));
  const Peer third = begin(limited, path_of(1, 3));
  EXPECT_EQ(limited.endpoint.half_open(), 2U);
  EXPECT_EQ(limited.endpoint.statistics().count(Refusal::too_many_half_open_of_host), 1U);
  EXPECT_TRUE(connects(limited, path_of(2, 1)));
  // A handshake that is complete counts no more.
  limited.handle_timeout(Instant{1s});
  exchange(first, path_of(1, 1), limited, Instant{1s});
  EXPECT_TRUE(works(first, path_of(1, 1), limited, Instant{1s}));
  EXPECT_TRUE(connects(limited, path_of(1, 3), Instant{1s}));
}

TEST_P(EndpointLimits, OneHostHasOnlySoManyConnections) {
  auto limited = host({.max_connections_per_host = 2});
  EXPECT_TRUE(connects(limited, path_of(1, 1)));
  EXPECT_TRUE(connects(limited, path_of(1, 2)));
  EXPECT_FALSE(connects(limited, path_of(1, 3)));
  EXPECT_EQ(limited.endpoint.statistics().count(Refusal::too_many_connections_of_host), 1U);
  EXPECT_TRUE(connects(limited, path_of(2, 1)));
  // Those that we call don't count: nobody but us can make them many.
  EXPECT_TRUE(limited.endpoint.connect(make_config(options()), path_of(1, 4), {}));
}

INSTANTIATE_TEST_SUITE_P(Versions, EndpointLimits, both_versions(), name_of_version);

}  // namespace
}  // namespace sluice::test
