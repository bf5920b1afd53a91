// RFC 8122: the peer is who its fingerprint says, whenever that arrives; until then nothing comes
// out.
#include <gtest/gtest.h>

#include "conformance/dtls12/vocabulary.h"

namespace sluice::test {
namespace {

using dtls::Fingerprint;
using dtls::HashAlgorithm;

const Buffer& peer_certificate() {
  static const Buffer kCertificate = copy_of(ecdsa_identity().certificate());
  return kCertificate;
}

Fingerprint right(HashAlgorithm hash = HashAlgorithm::sha256) {
  return must(Fingerprint::of(peer_certificate(), hash, environment()));
}
Fingerprint wrong(HashAlgorithm hash = HashAlgorithm::sha256) {
  Fingerprint fingerprint = right(hash);
  fingerprint.value.back() ^= std::byte{1};
  return fingerprint;
}

void announce(Duel& duel, std::vector<Fingerprint> fingerprints) {
  duel.engine.settle(duel.engine.connection().set_peer_fingerprints(fingerprints, duel.now),
                     duel.now);
}

// Nobody answers the question about the peer.
Duel undecided(Role role) {
  Duel duel(role);
  duel.engine.accepts_peer = false;
  return duel;
}

// Whether a peer announced by these is accepted, told before the handshake or after it.
bool accepted(Role role, const std::vector<Fingerprint>& fingerprints, bool late) {
  Duel duel = undecided(role);
  if (!late) announce(duel, fingerprints);
  duel.run();
  if (late) announce(duel, fingerprints);
  if (duel.engine.connected) {
    EXPECT_TRUE(works(duel));
    return true;
  }
  EXPECT_TRUE(failed(duel, Errc::peer_rejected, Alert::bad_certificate));
  return false;
}

TEST(Rfc8122_5, TheSetOfFingerprints) {
  struct Case {
    const char* name;
    std::vector<Fingerprint> announced;
    bool accepted;
  };
  const std::vector<Case> cases{
      {"one that matches", {right()}, true},
      {"one that doesn't", {wrong()}, false},
      {"none", {}, false},
      {"several of one hash", {wrong(), right(), wrong()}, true},
      {"several of one hash, all wrong", {wrong(), wrong()}, false},
      {"each hash: SHA-1", {right(HashAlgorithm::sha1)}, true},
      {"each hash: SHA-384", {right(HashAlgorithm::sha384)}, true},
      {"each hash: SHA-512", {right(HashAlgorithm::sha512)}, true},
      // "MUST select the set of fingerprints that matches the most preferred hash function."
      {"the strongest decides", {wrong(HashAlgorithm::sha1), right(HashAlgorithm::sha512)}, true},
      {"a weaker one can't help",
       {right(HashAlgorithm::sha1), wrong(HashAlgorithm::sha256)},
       false},
      {"a weaker one can't help, in any order",
       {wrong(HashAlgorithm::sha512), right(HashAlgorithm::sha256)},
       false}};
  for (const Case& each : cases) {
    for (const Role role : kRoles) {
      for (const bool late : {false, true}) {
        SCOPED_TRACE(testing::Message() << each.name << to_string(role) << late);
        EXPECT_EQ(accepted(role, each.announced, late), each.accepted);
      }
    }
  }
}

// "The hash's name and the value [...] case-insensitive" in what is read, upper case in what is
// written.
TEST(Rfc8122_5, AnyCaseIsRead) {
  const std::string text = right().to_sdp();
  const std::string value = text.substr(text.find(' ') + 1);
  std::string lower = value;
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
  for (const char* hash : {"sha-256", "SHA-256", "Sha-256"}) {
    EXPECT_EQ(must(Fingerprint::parse(hash, value)), right());
    EXPECT_EQ(must(Fingerprint::parse(hash, lower)), right());
  }
}

TEST(Rfc8122_6_2, AWrongCertificateEndsTheHandshakeAtOnce) {
  Duel server = undecided(Role::server);
  announce(server, {wrong()});
  server.peer.script.replies = false;
  server.deliver(server.peer.take_datagrams().front());
  server.collect();
  server.deliver(server.peer.message(HandshakeType::certificate));
  EXPECT_TRUE(failed(server, Errc::peer_rejected, Alert::bad_certificate));

  Duel client = undecided(Role::client);
  announce(client, {wrong()});
  client.peer.script.replies = false;
  client.collect();
  client.deliver(client.peer.message(HandshakeType::server_hello));
  client.deliver(client.peer.message(HandshakeType::certificate));
  EXPECT_TRUE(failed(client, Errc::peer_rejected, Alert::bad_certificate));
}

TEST(Rfc8122_6_2, WithoutAVerdictNothingComesOut) {
  for (const Role role : kRoles) {
    Duel duel = undecided(role);
    duel.run();
    ASSERT_TRUE(duel.peer.complete) << "the handshake itself is complete";
    EXPECT_TRUE(still_waiting(duel));
    duel.deliver(duel.peer.data(bytes_of("early")));
    duel.wait(dtls::RetransmissionTimers{}.total - 1s);
    EXPECT_TRUE(still_waiting(duel));
  }
}

TEST(Rfc8122_6_2, UnacceptedDataIsDeliveredWithTheVerdict) {
  for (const Role role : kRoles) {
    Duel duel = undecided(role);
    duel.run();
    for (const auto* const words : {"one", "two", "three"}) {
      duel.deliver(duel.peer.data(bytes_of(words)));
    }
    EXPECT_TRUE(duel.engine.data.empty());
    announce(duel, {right()});
    ASSERT_EQ(duel.engine.data.size(), 3U);
    EXPECT_EQ(duel.engine.data[0], copy_of(bytes_of("one")));
    EXPECT_EQ(duel.engine.data[2], copy_of(bytes_of("three")));
    EXPECT_TRUE(works(duel));
  }
}

TEST(Rfc8122_6_2, UnacceptedDataIsNeverDeliveredToTheWrongPeer) {
  for (const Role role : kRoles) {
    Duel duel = undecided(role);
    duel.run();
    duel.deliver(duel.peer.data(bytes_of("early")));
    announce(duel, {wrong()});
    EXPECT_TRUE(failed(duel, Errc::peer_rejected, Alert::bad_certificate));
    EXPECT_EQ(duel.peer.records.back().epoch, kFirstEncryptedEpoch12);
  }
}

TEST(Rfc8122_6_2, UnacceptedDataHasABound) {
  for (const Role role : kRoles) {
    Duel duel = undecided(role);
    duel.run();
    const Buffer chunk = counted(1000);
    for (int i = 0; i < 40; ++i) duel.deliver(duel.peer.data(chunk));
    EXPECT_EQ(discards(duel, Discard::unaccepted_data_full), 40U - 16U);
    announce(duel, {right()});
    EXPECT_EQ(duel.engine.data.size(), 16U);
    EXPECT_TRUE(works(duel));
  }
}

TEST(Rfc8122_6_2, EmptyUnacceptedRecordsHaveABoundToo) {
  for (const Role role : kRoles) {
    Duel duel = undecided(role);
    duel.run();
    for (int i = 0; i < 5000; ++i) duel.deliver(duel.peer.data({}));
    EXPECT_GT(discards(duel, Discard::unaccepted_data_full), 4000U);
    announce(duel, {right()});
    EXPECT_TRUE(works(duel));
  }
}

// It has to wait until the last flight has been polled. A client may send data before it has
// received the server's Finished (RFC 7918).
TEST(Rfc8122_6_2, DataOfAnAcceptedPeerHasTheSameBoundBeforeTheLastFlight) {
  Script script;
  script.edit = [](Flight& flight) {
    const auto is_data_next = std::ranges::any_of(flight, [](const OutgoingRecord& record) {
      return record.type == ContentType::change_cipher_spec;
    });
    if (!is_data_next) return;
    for (int i = 0; i < 40; ++i) {
      flight.push_back({ContentType::application_data, kFirstEncryptedEpoch12, counted(1000)});
    }
  };
  Duel duel(Role::server, script);
  duel.run();
  EXPECT_EQ(discards(duel, Discard::unaccepted_data_full), 40U - 16U);
  EXPECT_EQ(duel.engine.data.size(), 16U);
  EXPECT_TRUE(works(duel));
}

// A verdict that is late must not break the handshake: the last flight is still answered.
TEST(Rfc8122_6_2, ARepeatedFlightIsAnsweredBeforeTheVerdict) {
  Duel duel = undecided(Role::server);
  duel.run();
  duel.now += 2s;
  duel.peer.records.clear();
  duel.peer.repeat_flight();
  for (Buffer& datagram : duel.peer.take_datagrams()) duel.deliver(std::move(datagram));
  EXPECT_EQ(duel.collect(), 1U);
  EXPECT_EQ(duel.peer.records.back().type, ContentType::handshake);
  announce(duel, {right()});
  EXPECT_TRUE(works(duel));
}

TEST(Rfc8122_6_2, ClosingBeforeTheVerdict) {
  for (const Role role : kRoles) {
    Duel duel = undecided(role);
    duel.run();
    duel.deliver(duel.peer.data(bytes_of("early")));
    duel.deliver(duel.peer.alert(AlertLevel::warning, Alert::close_notify));
    EXPECT_TRUE(duel.engine.data.empty());
    EXPECT_FALSE(duel.engine.connected);
    ASSERT_TRUE(duel.engine.error);
    EXPECT_EQ(duel.engine.error->alert, Alert::close_notify);
    duel.collect();
    ASSERT_EQ(duel.peer.alerts.size(), 1U);
    EXPECT_EQ(duel.peer.alerts.front().description, Alert::close_notify);
  }
}

// ---- the question and its answer

TEST(PeerQuestion, RejectionSendsTheAlertOfChoice) {
  for (const Role role : kRoles) {
    for (const auto alert : {Alert::bad_certificate, Alert::access_denied}) {
      Duel duel = undecided(role);
      duel.run();
      ASSERT_TRUE(duel.engine.question);
      duel.deliver(duel.peer.data(bytes_of("early")));
      duel.engine.settle(
          duel.engine.connection().answer(*duel.engine.question, dtls::RejectPeer{alert}, duel.now),
          duel.now);
      EXPECT_TRUE(failed(duel, Errc::peer_rejected, alert));
    }
  }
}

TEST(PeerQuestion, ItShowsTheWholeChain) {
  for (const Role role : kRoles) {
    Duel duel = undecided(role);
    duel.run();
    ASSERT_EQ(duel.engine.peer_chain.size(), 1U);
    EXPECT_EQ(duel.engine.peer_chain.front(), peer_certificate());
  }
}

// The caller's mistake, not the connection's.
TEST(PeerQuestion, AnAnswerToAnotherQuestionChangesNothing) {
  for (const Role role : kRoles) {
    Duel duel = undecided(role);
    const auto answer = [&](std::uint32_t question) {
      return duel.engine.connection().answer(dtls::QuestionId{question}, dtls::AcceptPeer{},
                                             duel.now);
    };
    const auto unasked = answer(1);
    ASSERT_FALSE(unasked);
    EXPECT_EQ(unasked.error().code, Errc::invalid_argument);
    duel.run();
    const auto other = answer(77);
    ASSERT_FALSE(other);
    EXPECT_EQ(other.error().code, Errc::invalid_argument);
    EXPECT_TRUE(still_waiting(duel));
    announce(duel, {right()});
    EXPECT_TRUE(works(duel));
  }
}

// Acceptance comes before the proof that the key is at hand, and does not replace it.
TEST(PeerQuestion, AnAcceptedCertificateStillNeedsItsKey) {
  Script script;
  script.omitted = {HandshakeType::certificate_verify};
  Duel duel(Role::server, script);
  announce(duel, {right()});
  duel.run();
  EXPECT_TRUE(failed(duel, Errc::unexpected_message, Alert::unexpected_message));
}

}  // namespace
}  // namespace sluice::test
