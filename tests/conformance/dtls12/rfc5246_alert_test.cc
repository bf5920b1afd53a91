// RFC 5246 section 7.2: alerts, and the end of a connection.
#include <gtest/gtest.h>

#include "conformance/dtls12/vocabulary.h"

namespace sluice::test {
namespace {

OutgoingRecord plain_alert(Buffer contents) {
  return {ContentType::alert, kPlaintextEpoch, std::move(contents)};
}

Buffer alert_bytes(AlertLevel level, Alert description) {
  return copy_of(dtls::message::AlertMessage{level, description}.encode());
}

// The points at which an engine waits in plaintext. At the first a server has heard nothing yet.
struct Point {
  Role role;
  int exchanges;
};
constexpr std::array kPlaintextPoints{Point{Role::server, 0}, Point{Role::client, 0},
                                      Point{Role::client, 1}, Point{Role::server, 1}};
constexpr auto kPointsOfAHandshake = std::span(kPlaintextPoints).subspan<1>();

Duel at(const Point& point) {
  Duel duel(point.role);
  for (int i = 0; i < point.exchanges; ++i) {
    duel.collect();
    for (Buffer& datagram : duel.peer.take_datagrams()) duel.deliver(std::move(datagram));
  }
  duel.peer.script.replies = false;
  duel.collect();
  duel.peer.take_datagrams();
  return duel;
}

Duel established(Role role) {
  Duel duel(role);
  EXPECT_TRUE(works(duel));
  return duel;
}

testing::AssertionResult ended(Duel& duel) {
  Buffer out(100);
  const auto sealed = duel.engine.connection().seal(bytes_of("x"), out);
  if (sealed || sealed.error() != dtls::SendError::not_connected) {
    return testing::AssertionFailure() << "data can be sent";
  }
  if (duel.engine.connection().connected()) return testing::AssertionFailure() << "connected";
  if (duel.engine.connection().srtp_keys()) return testing::AssertionFailure() << "keys";
  if (duel.engine.connection().next_timeout()) return testing::AssertionFailure() << "timer";
  const std::size_t data = duel.engine.data.size();
  duel.deliver(duel.peer.data(bytes_of("late")));
  duel.peer.repeat_flight();
  for (Buffer& datagram : duel.peer.take_datagrams()) duel.deliver(std::move(datagram));
  if (duel.engine.data.size() != data) return testing::AssertionFailure() << "data came out";
  if (duel.collect() != 0) return testing::AssertionFailure() << "the engine goes on sending";
  return testing::AssertionSuccess();
}

// It waits for less than a second, in case that the peer goes on and somebody else has sent the
// alert.
TEST(Rfc5246_7_2, AFatalAlertEndsTheHandshakeWithinASecond) {
  for (const Point& point : kPointsOfAHandshake) {
    for (const auto description : {Alert::handshake_failure, Alert::unexpected_message,
                                   Alert::internal_error, static_cast<Alert>(255)}) {
      SCOPED_TRACE(static_cast<int>(description));
      Duel duel = at(point);
      duel.deliver(plain_alert(alert_bytes(AlertLevel::fatal, description)));
      EXPECT_TRUE(still_waiting(duel));
      duel.wait(1s);
      ASSERT_TRUE(failed_silently(duel, Errc::alert_received));
      EXPECT_EQ(duel.engine.error->alert, description);
    }
  }
}

// A caller may let timers fire early.
TEST(Rfc5246_7_2, AFatalAlertIsNotReportedBeforeItsTime) {
  for (const Point& point : kPointsOfAHandshake) {
    Duel duel = at(point);
    duel.deliver(plain_alert(alert_bytes(AlertLevel::fatal, Alert::handshake_failure)));
    for (const auto& [after, is_reported] : {std::pair{899ms, false}, std::pair{900ms, true}}) {
      const dtls::Instant then = duel.now + after;
      duel.engine.settle(duel.engine.connection().handle_timeout(then), then);
      EXPECT_EQ(duel.engine.error.has_value(), is_reported);
    }
  }
}

TEST(Rfc5246_7_2, AnAlertBeforeAnythingWasSaidEndsNothing) {
  Duel duel = at({Role::server, 0});
  duel.deliver(plain_alert(alert_bytes(AlertLevel::fatal, Alert::handshake_failure)));
  duel.deliver(plain_alert(alert_bytes(AlertLevel::warning, Alert::close_notify)));
  EXPECT_EQ(discards(duel, Discard::unexpected_content), 2U);
  EXPECT_FALSE(duel.engine.connection().next_timeout());
  EXPECT_TRUE(still_waiting(duel));
}

// A forged one does not beat a peer that goes on.
TEST(Rfc6347_4_1_2_7, AnAlertThatThePeerDoesNotMeanEndsNothing) {
  for (const Role role : kRoles) {
    for (const Buffer& alert : {alert_bytes(AlertLevel::fatal, Alert::handshake_failure),
                                alert_bytes(AlertLevel::warning, Alert::close_notify)}) {
      Script script;
      script.edit = [&](Flight& flight) {
        flight.insert(flight.begin(), {plain_alert(alert), plain_alert(alert)});
      };
      Duel duel(role, script);
      EXPECT_TRUE(works(duel));
      EXPECT_EQ(discards(duel, Discard::unexpected_content), 4U);
    }
  }
}

TEST(Rfc5246_7_2, AWarningEndsNothing) {
  for (const Point& point : kPlaintextPoints) {
    Duel duel = at(point);
    for (const auto description :
         {Alert::user_canceled, Alert::no_renegotiation, Alert::unrecognized_name}) {
      duel.deliver(plain_alert(alert_bytes(AlertLevel::warning, description)));
    }
    duel.wait(1s);
    EXPECT_TRUE(still_waiting(duel));
  }
  for (const Role role : kRoles) {
    Duel duel = established(role);
    duel.deliver(duel.peer.alert(AlertLevel::warning, Alert::user_canceled));
    EXPECT_TRUE(works(duel));
  }
}

TEST(Rfc6347_4_1_2_7, AMalformedAlertInPlaintextIsDiscarded) {
  for (const Point& point : kPlaintextPoints) {
    for (const char* contents : {"", "02", "01", "0028", "0328", "ff28", "022800", "02280228"}) {
      SCOPED_TRACE(contents);
      Duel duel = at(point);
      duel.deliver(plain_alert(from_hex(contents)));
      EXPECT_EQ(discards(duel, Discard::malformed_record), 1U);
      EXPECT_TRUE(still_waiting(duel));
    }
  }
}

// An alert that is split over two records is none in datagrams.
TEST(Rfc5246_7_2, AnEncryptedMalformedAlertIsFatal) {
  for (const Role role : kRoles) {
    for (const char* contents : {"", "02", "0328", "022800"}) {
      SCOPED_TRACE(contents);
      Duel duel = established(role);
      duel.deliver({ContentType::alert, kFirstEncryptedEpoch12, from_hex(contents)});
      ASSERT_TRUE(duel.engine.error);
      EXPECT_EQ(duel.engine.error->code, Errc::decode_error);
      duel.collect();
      ASSERT_EQ(duel.peer.alerts.size(), 1U);
      EXPECT_EQ(duel.peer.alerts.front().description, Alert::decode_error);
      EXPECT_EQ(duel.peer.records.back().epoch, kFirstEncryptedEpoch12);
      EXPECT_TRUE(ended(duel));
    }
  }
}

TEST(Rfc5246_7_2, AnEncryptedFatalAlertEndsTheConnection) {
  for (const Role role : kRoles) {
    Duel duel = established(role);
    duel.deliver(duel.peer.alert(AlertLevel::fatal, Alert::internal_error));
    ASSERT_TRUE(duel.engine.error);
    EXPECT_EQ(duel.engine.error->code, Errc::alert_received);
    EXPECT_EQ(duel.engine.error->alert, Alert::internal_error);
    EXPECT_EQ(duel.collect(), 0U) << "a fatal alert has no answer";
    EXPECT_TRUE(ended(duel));
  }
}

// Once the peer encrypts, anybody could send these.
TEST(Rfc6347_4_2_7, APlaintextAlertAfterKeysExistIsDropped) {
  for (const Role role : kRoles) {
    Duel duel = established(role);
    std::uint64_t before = duel.engine.connection().statistics().total_discarded();
    for (const Buffer& contents :
         {alert_bytes(AlertLevel::fatal, Alert::handshake_failure),
          alert_bytes(AlertLevel::warning, Alert::close_notify), from_hex("02"), from_hex("")}) {
      duel.deliver(plain_alert(contents));
      EXPECT_EQ(duel.engine.connection().statistics().total_discarded(), ++before);
    }
    EXPECT_TRUE(works(duel));
  }
}

// The server has shown that it encrypts before its Finished has come: data overtook it.
TEST(Rfc6347_4_2_7, APlaintextAlertBehindAnEncryptedRecordIsDropped) {
  Duel duel(Role::client);
  duel.peer.script.edit = [&](Flight& flight) {
    if (flight.back().epoch == kPlaintextEpoch) return;
    flight.insert(flight.begin(), {ContentType::application_data, kFirstEncryptedEpoch12, {}});
    flight.insert(flight.begin() + 1,
                  plain_alert(alert_bytes(AlertLevel::fatal, Alert::handshake_failure)));
  };
  EXPECT_TRUE(works(duel));
  EXPECT_EQ(discards(duel, Discard::unexpected_content), 1U);
}

// Or before it has shown that.
TEST(Rfc6347_4_2_7, AnEncryptedRecordRefutesAPlaintextAlert) {
  const OutgoingRecord alert =
      plain_alert(alert_bytes(AlertLevel::fatal, Alert::handshake_failure));
  Duel duel = at({Role::client, 1});
  duel.deliver(alert);
  EXPECT_EQ(discards(duel, Discard::unexpected_content), 0U);
  duel.deliver({ContentType::application_data, kFirstEncryptedEpoch12, {}});
  duel.wait(1s);
  EXPECT_TRUE(still_waiting(duel));
  EXPECT_EQ(discards(duel, Discard::unexpected_content), 1U);
  duel.deliver(alert);
  EXPECT_EQ(discards(duel, Discard::unexpected_content), 2U) << "it is not even held";
}

// Until then an honest server can still refuse in plaintext: its keys come with its Finished.
TEST(Rfc6347_4_2_7, APlaintextAlertCountsUntilThePeerEncrypts) {
  Duel duel = at({Role::client, 1});
  ASSERT_TRUE(duel.peer.has_keys());
  duel.deliver(plain_alert(alert_bytes(AlertLevel::fatal, Alert::bad_certificate)));
  duel.wait(1s);
  EXPECT_TRUE(failed_silently(duel, Errc::alert_received));
}

// "The other party MUST respond with a close_notify alert of its own and close down the connection
// immediately, discarding any pending writes."
TEST(Rfc5246_7_2_1, CloseNotifyIsAnswered) {
  for (const Role role : kRoles) {
    for (const auto level : {AlertLevel::warning, AlertLevel::fatal}) {
      Duel duel = established(role);
      duel.deliver(duel.peer.alert(level, Alert::close_notify));
      EXPECT_TRUE(duel.engine.closed);
      EXPECT_FALSE(duel.engine.error);
      EXPECT_EQ(duel.collect(), 1U);
      ASSERT_EQ(duel.peer.alerts.size(), 1U);
      EXPECT_EQ(duel.peer.alerts.front().level, AlertLevel::warning);
      EXPECT_EQ(duel.peer.alerts.front().description, Alert::close_notify);
      EXPECT_EQ(duel.peer.records.back().epoch, kFirstEncryptedEpoch12);
      EXPECT_TRUE(ended(duel));
    }
  }
}

TEST(Rfc5246_7_2_1, CloseNotifyDuringTheHandshakeIsAnsweredAsWell) {
  for (const Point& point : kPointsOfAHandshake) {
    Duel duel = at(point);
    duel.deliver(plain_alert(alert_bytes(AlertLevel::warning, Alert::close_notify)));
    const dtls::Instant before = duel.now;
    while (!duel.engine.error) {
      duel.engine.take_datagrams();
      duel.expire();
    }
    EXPECT_LE(duel.now - before, 1s);
    EXPECT_EQ(duel.engine.error->code, Errc::closed_by_peer);
    EXPECT_EQ(duel.engine.error->alert, Alert::close_notify);
    EXPECT_FALSE(duel.engine.connected);
    EXPECT_EQ(duel.collect(), 1U);
    ASSERT_EQ(duel.peer.alerts.size(), 1U);
    EXPECT_EQ(duel.peer.alerts.front().description, Alert::close_notify);
    EXPECT_EQ(duel.collect(), 0U);
  }
}

TEST(Rfc5246_7_2_1, WhatWasSentBeforeCloseNotifyIsDelivered) {
  for (const Role role : kRoles) {
    Duel duel = established(role);
    const std::size_t before = duel.engine.data.size();
    duel.deliver(joined({duel.peer.data(bytes_of("last words")),
                         duel.peer.alert(AlertLevel::warning, Alert::close_notify),
                         duel.peer.data(bytes_of("too late"))}));
    ASSERT_EQ(duel.engine.data.size(), before + 1);
    EXPECT_EQ(duel.engine.data.back(), copy_of(bytes_of("last words")));
    EXPECT_TRUE(duel.engine.closed);
  }
}

// "It is not required for the initiator of the close to wait for the responding close_notify."
TEST(Rfc5246_7_2_1, CloseSendsCloseNotifyAndThenNothing) {
  for (const Role role : kRoles) {
    Duel duel = established(role);
    duel.engine.settle(duel.engine.connection().close(duel.now), duel.now);
    EXPECT_EQ(duel.collect(), 1U);
    ASSERT_EQ(duel.peer.alerts.size(), 1U);
    EXPECT_EQ(duel.peer.alerts.front().level, AlertLevel::warning);
    EXPECT_EQ(duel.peer.alerts.front().description, Alert::close_notify);
    duel.deliver(duel.peer.alert(AlertLevel::warning, Alert::close_notify));
    EXPECT_EQ(duel.collect(), 0U);
    EXPECT_FALSE(duel.engine.error);
    EXPECT_TRUE(ended(duel));
    EXPECT_GT(discards(duel, Discard::after_close), 1U);
  }
}

TEST(Rfc5246_7_2_1, CloseDuringTheHandshakeGivesItUp) {
  for (const Point& point : kPlaintextPoints) {
    Duel duel = at(point);
    duel.engine.settle(duel.engine.connection().close(duel.now), duel.now);
    EXPECT_EQ(duel.collect(), 1U);
    ASSERT_EQ(duel.peer.alerts.size(), 1U);
    EXPECT_EQ(duel.peer.alerts.front().description, Alert::close_notify);
    EXPECT_FALSE(duel.engine.connection().next_timeout());
    EXPECT_FALSE(duel.engine.connected);
  }
}

}  // namespace
}  // namespace sluice::test
