// What a PacketObserver is told of whole calls.
#include <gmock/gmock.h>

#include <map>
#include <variant>

#include "scenario/diagnostics/watched_call.h"
#include "support/by_version.h"

namespace sluice::test {
namespace {

using dtls::ConnectionNumber;
using dtls::ContentType;
using dtls::Direction;
using dtls::Discard;
using dtls::Instant;
using dtls::Role;
using testing::ElementsAre;
using namespace std::chrono_literals;

struct Told {
  enum class Kind { datagram, record, discard };
  Kind kind;
  ConnectionNumber connection;
  Direction direction = {};
  Instant time = {};
  dtls::PathId path = {};
  ContentType type = {};
  dtls::Epoch epoch = {};
  dtls::SequenceNumber sequence = {};
  dtls::Buffer bytes = {};
  Discard reason = {};
};

struct Observer : dtls::PacketObserver {
  void on_datagram(const dtls::ObservedDatagram& datagram) override {
    told.push_back({.kind = Told::Kind::datagram,
                    .connection = datagram.connection,
                    .direction = datagram.direction,
                    .time = datagram.time,
                    .path = datagram.path,
                    .bytes = copy_of(datagram.bytes)});
  }
  void on_record(const dtls::ObservedRecord& record) override {
    told.push_back({.kind = Told::Kind::record,
                    .connection = record.connection,
                    .direction = record.direction,
                    .time = record.time,
                    .type = record.type,
                    .epoch = record.epoch,
                    .sequence = record.sequence_number,
                    .bytes = copy_of(record.contents)});
  }
  void on_discard(const dtls::ObservedDiscard& discard) override {
    told.push_back({.kind = Told::Kind::discard,
                    .connection = discard.connection,
                    .time = discard.time,
                    .reason = discard.reason});
  }

  [[nodiscard]] std::vector<Told> of(Told::Kind kind, ConnectionNumber connection,
                                     Direction direction) const {
    std::vector<Told> chosen;
    for (const auto& entry : told) {
      if (entry.kind == kind && entry.connection == connection && entry.direction == direction) {
        chosen.push_back(entry);
      }
    }
    return chosen;
  }

  std::vector<Told> told;
};

constexpr ConnectionNumber kClient{1};
constexpr ConnectionNumber kServer{2};

class PacketObserver : public ByVersion {
 protected:
  Observer observer_;
};

TEST_P(PacketObserver, EveryDatagramIsToldByBothEndsAsItIsOnTheWire) {
  WatchedCall call(options(), {.packet_observer = &observer_});
  std::map<Role, std::vector<dtls::Buffer>> carried;
  for (const auto& [sender, datagram] : call.run()) carried[sender].push_back(datagram);
  const auto bytes = [&](ConnectionNumber connection, Direction direction) {
    std::vector<dtls::Buffer> all;
    for (const auto& entry : observer_.of(Told::Kind::datagram, connection, direction)) {
      EXPECT_EQ(entry.path, kPath);
      all.push_back(entry.bytes);
    }
    return all;
  };
  EXPECT_EQ(bytes(kClient, Direction::sent), carried[Role::client]);
  EXPECT_EQ(bytes(kServer, Direction::received), carried[Role::client]);
  EXPECT_EQ(bytes(kServer, Direction::sent), carried[Role::server]);
  EXPECT_EQ(bytes(kClient, Direction::received), carried[Role::server]);
}

TEST_P(PacketObserver, EveryRecordIsToldInPlaintextByBothEnds) {
  RecordingKeyLog log;
  WatchedCall call(options(), {.key_log = &log, .packet_observer = &observer_});
  call.run();
  Eavesdropper eavesdropper(log.lines);
  for (const auto& [sender, datagram] : call.carried) eavesdropper.hear(sender, datagram);
  for (const auto& [sender, sending, receiving] :
       {std::tuple(Role::client, kClient, kServer), std::tuple(Role::server, kServer, kClient)}) {
    const auto sent = observer_.of(Told::Kind::record, sending, Direction::sent);
    const auto received = observer_.of(Told::Kind::record, receiving, Direction::received);
    std::size_t next = 0;
    for (const auto& overheard : eavesdropper.records) {
      if (overheard.sender != sender) continue;
      ASSERT_LT(next, std::min(sent.size(), received.size()));
      for (const Told& told : {sent[next], received[next]}) {
        EXPECT_EQ(told.type, overheard.type);
        EXPECT_EQ(told.epoch, overheard.epoch);
        EXPECT_EQ(told.sequence, overheard.sequence);
        EXPECT_EQ(told.bytes, overheard.contents);
      }
      ++next;
    }
    EXPECT_EQ(sent.size(), next);
    EXPECT_EQ(received.size(), next);
  }
}

TEST_P(PacketObserver, ARecordIsToldAfterTheDatagramItCameInAndBeforeTheOneItGoesIn) {
  auto call = WatchedCall(options(), {.packet_observer = &observer_});
  call.run();
  observer_.told.clear();
  call.carry(Role::client, call.client.seal(bytes_of("data")));
  ASSERT_EQ(observer_.told.size(), 4);
  const auto is = [&](std::size_t i, Told::Kind kind, ConnectionNumber connection) {
    return observer_.told[i].kind == kind && observer_.told[i].connection == connection;
  };
  EXPECT_TRUE(is(0, Told::Kind::record, kClient));
  EXPECT_TRUE(is(1, Told::Kind::datagram, kClient));
  EXPECT_TRUE(is(2, Told::Kind::datagram, kServer));
  EXPECT_TRUE(is(3, Told::Kind::record, kServer));
}

TEST_P(PacketObserver, DiscardsAreToldAsTheyAreCounted) {
  WatchedCall call(options(), {.packet_observer = &observer_});
  call.run();
  observer_.told.clear();
  const auto datagram = call.client.seal(bytes_of("data"));
  auto forged = datagram;
  forged.back() ^= std::byte{1};
  call.server.receive(forged, {});
  call.server.receive(datagram, {});
  call.server.receive(datagram, {});
  call.server.receive({std::byte{22}}, {});
  must(call.server.connection().close({}));
  call.server.receive(datagram, {});
  std::vector<Discard> reasons;
  for (const auto& entry : observer_.told) {
    if (entry.kind != Told::Kind::discard) continue;
    EXPECT_EQ(entry.connection, kServer);
    reasons.push_back(entry.reason);
  }
  EXPECT_THAT(reasons, ElementsAre(Discard::authentication_failed, Discard::replayed,
                                   Discard::malformed_record, Discard::after_close));
  EXPECT_EQ(call.server.connection().statistics().total_discarded(), 4);
}

TEST_P(PacketObserver, WhatIsPolledOrSealedHasTheTimeOfTheLastInputAndThePathOfThePresent) {
  WatchedCall call(options(), {.packet_observer = &observer_});
  call.run();
  observer_.told.clear();
  auto& connection = call.client.connection();
  connection.set_path(dtls::PathId{9});
  must(connection.handle_timeout(Instant(3s)));
  call.client.seal(bytes_of("data"));
  must(connection.close(Instant(4s)));
  EXPECT_EQ(call.client.take_datagrams().size(), 1);
  const auto sent = observer_.of(Told::Kind::datagram, kClient, Direction::sent);
  ASSERT_EQ(sent.size(), 2);
  EXPECT_EQ(sent[0].time, Instant(3s));
  EXPECT_EQ(sent[1].time, Instant(4s));
  EXPECT_EQ(sent[1].path, dtls::PathId{9});

  auto datagram = call.server.seal(bytes_of("data"));
  must(connection.handle_datagram(datagram, dtls::PathId{7}, Instant(5s)));
  const auto received = observer_.of(Told::Kind::datagram, kClient, Direction::received);
  ASSERT_EQ(received.size(), 1);
  EXPECT_EQ(received[0].time, Instant(5s));
  EXPECT_EQ(received[0].path, dtls::PathId{7});
}

TEST_P(PacketObserver, AClientsFirstFlightHasTheTimeOfItsMaking) {
  auto environment = must(dtls::Environment::make({.packet_observer = &observer_}));
  Peer client(
      must(dtls::Connection::client(make_config(options()), environment, kPath, Instant(2s))));
  client.take_datagrams();
  ASSERT_FALSE(observer_.told.empty());
  for (const auto& entry : observer_.told) EXPECT_EQ(entry.time, Instant(2s));
}

// A Finished that overtakes the rest of its flight is reported when it can be decrypted.
TEST_P(PacketObserver, AFutureRecordIsReportedOnceItsKeysExist) {
  auto small = options();
  small.mtu = 300;
  WatchedCall call(small, {.packet_observer = &observer_});
  for (auto& datagram : call.client.take_datagrams()) call.server.receive(std::move(datagram), {});
  auto flight = call.server.take_datagrams();
  if (!is13()) {
    for (auto& datagram : flight) call.client.receive(std::move(datagram), {});
    flight = call.client.take_datagrams();
  }
  Peer& receiver = is13() ? call.client : call.server;
  const auto number = is13() ? kClient : kServer;
  ASSERT_GT(flight.size(), 1);
  receiver.receive(flight.back(), {});
  flight.pop_back();
  const auto encrypted = [&] {
    const auto records = observer_.of(Told::Kind::record, number, Direction::received);
    return std::ranges::count_if(
        records, [](const Told& told) { return told.epoch != dtls::wire::kPlaintextEpoch; });
  };
  EXPECT_EQ(encrypted(), 0);
  for (auto& datagram : flight) receiver.receive(std::move(datagram), {});
  EXPECT_GT(encrypted(), 0);
  receiver.take_datagrams();
  EXPECT_TRUE(receiver.connected);
}

TEST_P(PacketObserver, ConnectionsAreCountedByTheirEnvironment) {
  WatchedCall call(options(), {.packet_observer = &observer_});
  EXPECT_EQ(call.client.connection().number(), ConnectionNumber{1});
  EXPECT_EQ(call.server.connection().number(), ConnectionNumber{2});
  WatchedCall other(options(), {});
  EXPECT_EQ(other.client.connection().number(), ConnectionNumber{1});
}

// The same chance, watched and not.
TEST_P(PacketObserver, ChangesNothing) {
  const auto datagrams = [&](dtls::PacketObserver* watcher, dtls::KeyLog* log) {
    SeededRandom random(7);
    WatchedCall call(options(), {.random = &random, .key_log = log, .packet_observer = watcher});
    std::vector<dtls::Buffer> all;
    for (const auto& carried : call.run()) all.push_back(carried.datagram);
    return all;
  };
  RecordingKeyLog log;
  EXPECT_EQ(datagrams(&observer_, &log), datagrams(nullptr, nullptr));
  EXPECT_FALSE(observer_.told.empty() || log.lines.empty());
}

INSTANTIATE_TEST_SUITE_P(Versions, PacketObserver, both_versions(), name_of_version);

}  // namespace
}  // namespace sluice::test
