// Snapshots of an Endpoint's connections.
#include "support/sleeping.h"

namespace sluice::test {
namespace {

using dtls::ConnectionHandle;
using dtls::Errc;
using dtls::SendError;
using dtls::Snapshot;
using dtls::SnapshotOptions;

class EndpointSnapshots : public Sleeping {
 protected:
  static Snapshot take(EndpointHost& host, ConnectionHandle handle) {
    return must(host.endpoint.snapshot(handle, {.records = SnapshotOptions::kMinimum}));
  }
  // Sends until the Endpoint refuses; the peer receives all.
  static std::size_t send_all(EndpointHost& host, ConnectionHandle handle, Peer& peer) {
    dtls::Buffer out(200);
    for (std::size_t sent = 0;; ++sent) {
      const auto sealed = host.endpoint.seal(handle, bytes_of("data"), out);
      if (!sealed) {
        EXPECT_EQ(sealed.error(), SendError::snapshot_needed);
        return sent;
      }
      peer.receive({out.begin(), out.begin() + static_cast<std::ptrdiff_t>(*sealed)}, {});
    }
  }
};

TEST_P(EndpointSnapshots, ASessionGoesOnAfterACrash) {
  EndpointHost crashed = host();
  Peer peer = connect(crashed, kHome);
  const ConnectionHandle before = *crashed.endpoint.find(kHome);
  must(crashed.endpoint.set_tag(before, bytes_of("name")));
  Snapshot snapshot = take(crashed, before);
  EXPECT_EQ(to_hex(snapshot.state.tag()), to_hex(bytes_of("name")));
  EXPECT_GT(send_all(crashed, before, peer), 0U);
  must(crashed.endpoint.snapshot_stored(before, snapshot.id, {}).map([](dtls::Pending) {}));

  EndpointHost next = host();
  const ConnectionHandle after =
      must(next.endpoint.adopt(config_, std::move(snapshot.state), kHome, {}));
  EXPECT_TRUE(next.endpoint.snapshot_due(after));
  EXPECT_TRUE(reaches(peer, kHome, next, after));
  EXPECT_EQ(send_all(next, after, peer), 0U) << "another crash would repeat these";
  const Snapshot own = take(next, after);
  must(next.endpoint.snapshot_stored(after, own.id, {}).map([](dtls::Pending) {}));
  EXPECT_FALSE(next.endpoint.snapshot_due(after));
  EXPECT_TRUE(works_both_ways(peer, kHome, next, after));
  EXPECT_EQ(peer.connection().statistics().count(dtls::Discard::replayed), 0U);
}

TEST_P(EndpointSnapshots, OneThatIsStoredLetsTheConnectionGoOn) {
  EndpointHost host = this->host();
  Peer peer = connect(host, kHome);
  const ConnectionHandle handle = *host.endpoint.find(kHome);
  EXPECT_FALSE(host.endpoint.snapshot_due(handle));
  take(host, handle);
  EXPECT_GT(send_all(host, handle, peer), 0U);
  EXPECT_TRUE(host.endpoint.snapshot_due(handle));
  const Snapshot second = take(host, handle);
  EXPECT_EQ(send_all(host, handle, peer), 0U);
  must(host.endpoint.snapshot_stored(handle, second.id, {}).map([](dtls::Pending) {}));
  EXPECT_GT(send_all(host, handle, peer), 0U);
}

TEST_P(EndpointSnapshots, ATagOfTheCallTakesPrecedence) {
  EndpointHost host = this->host();
  const Peer peer = connect(host, kHome);
  const ConnectionHandle handle = *host.endpoint.find(kHome);
  must(host.endpoint.set_tag(handle, bytes_of("name")));
  const Snapshot snapshot = must(host.endpoint.snapshot(handle, {.tag = bytes_of("other")}));
  EXPECT_EQ(to_hex(snapshot.state.tag()), to_hex(bytes_of("other")));
}

TEST_P(EndpointSnapshots, WrongUseIsAnError) {
  EndpointHost host = this->host();
  const Peer peer = connect(host, kHome);
  const ConnectionHandle handle = *host.endpoint.find(kHome);
  EXPECT_EQ(host.endpoint.snapshot(handle, {.records = 1}).error().code, Errc::invalid_argument);
  EXPECT_EQ(host.endpoint.snapshot_stored(handle, dtls::SnapshotId{1}, {}).error().code,
            Errc::invalid_argument);
  must(host.endpoint.abort(handle).map([](dtls::Pending) {}));
  host.settle({});
  EXPECT_EQ(host.endpoint.snapshot(handle).error().code, Errc::closed);
  EXPECT_EQ(host.endpoint.snapshot_stored(handle, dtls::SnapshotId{1}, {}).error().code,
            Errc::closed);
  EXPECT_FALSE(host.endpoint.snapshot_due(handle));
}

INSTANTIATE_TEST_SUITE_P(Versions, EndpointSnapshots, both_versions(), name_of_version);

}  // namespace
}  // namespace sluice::test
