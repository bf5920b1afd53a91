// RFC 5246 section 7.1, over RFC 6347 section 4.2.5: ChangeCipherSpec, and what lies around it.
#include <gtest/gtest.h>

#include "conformance/dtls12/vocabulary.h"

namespace sluice::test {
namespace {

using Edit = std::function<void(Flight&)>;

Script editing(Edit edit) {
  Script script;
  script.edit = std::move(edit);
  return script;
}

bool is_last_flight(const Flight& flight) { return flight.back().epoch != kPlaintextEpoch; }

// Datagrams may overtake each other, so Finished may come first; it waits for ChangeCipherSpec.
TEST(Rfc5246_7_1, FinishedWaitsForChangeCipherSpec) {
  for (const Role role : kRoles) {
    Duel duel(role, editing([](Flight& flight) {
                if (is_last_flight(flight)) std::swap(flight.end()[-1], flight.end()[-2]);
              }));
    bool waited = false;
    for (int flight = 0; flight < 3; ++flight) {
      duel.collect();
      for (Buffer& datagram : duel.peer.take_datagrams()) {
        const bool is_finished = datagram[4] == std::byte{1};
        duel.deliver(std::move(datagram));
        if (is_finished) {
          EXPECT_FALSE(duel.engine.connected);
          waited = true;
        }
      }
    }
    EXPECT_TRUE(waited);
    EXPECT_TRUE(works(duel));
  }
}

TEST(Rfc5246_7_1, WithoutChangeCipherSpecNothingIsFinished) {
  for (const Role role : kRoles) {
    Duel duel(role, editing([](Flight& flight) {
                if (is_last_flight(flight)) flight.erase(flight.end() - 2);
              }));
    duel.run();
    ASSERT_TRUE(duel.peer.has_keys());
    EXPECT_TRUE(still_waiting(duel));
  }
}

// Where the next message must be encrypted, one in plaintext may be anybody's.
TEST(Rfc5246_7_1, AFinishedInPlaintextFinishesNothing) {
  for (const Role role : kRoles) {
    for (const bool with_ccs : {true, false}) {
      Duel duel(role, editing([&](Flight& flight) {
                  if (!is_last_flight(flight)) return;
                  flight.back().epoch = kPlaintextEpoch;
                  if (!with_ccs) flight.erase(flight.end() - 2);
                }));
      duel.run();
      EXPECT_EQ(discards(duel, Discard::unexpected_content), 1U);
      EXPECT_TRUE(still_waiting(duel));
    }
  }
}

// Before ChangeCipherSpec all is in plaintext.
TEST(Rfc5246_7_1, AnEncryptedMessageBeforeFinishedIsFatal) {
  const Script script = editing([](Flight& flight) {
    if (!is_last_flight(flight)) return;
    find(flight, HandshakeType::certificate_verify)->epoch = kFirstEncryptedEpoch12;
  });
  EXPECT_TRUE(refused(Role::server, script, Errc::unexpected_message, Alert::unexpected_message));
}

// CVE-2014-0224: it made OpenSSL take keys from an empty secret. Here it may come at any time (it
// may have overtaken the rest), and the keys are those of the whole handshake, or works() would
// fail.
TEST(Rfc5246_7_1, AnEarlyChangeCipherSpecChangesNothing) {
  for (const Role role : kRoles) {
    for (std::size_t place = 0; place < 6; ++place) {
      Duel duel(role, editing([&](Flight& flight) {
                  const auto at = static_cast<std::ptrdiff_t>(std::min(place, flight.size()));
                  flight.insert(flight.begin() + at, change_cipher_spec());
                }));
      EXPECT_TRUE(works(duel));
    }
  }
}

// Without the messages that carry keys no number of them gives any.
TEST(Rfc5246_7_1, ChangeCipherSpecAloneLeadsNowhere) {
  for (const Role role : kRoles) {
    Script script;
    script.replies = false;
    Duel duel(role, script);
    duel.collect();
    if (role == Role::server) {
      duel.deliver(duel.peer.message(HandshakeType::client_hello));
    } else {
      duel.deliver(duel.peer.message(HandshakeType::server_hello));
    }
    for (int i = 0; i < 3; ++i) duel.deliver(change_cipher_spec());
    duel.deliver({ContentType::handshake, Epoch{2}, from_hex("14000000 0001 000000 000000")});
    EXPECT_TRUE(still_waiting(duel));
    duel.deliver(duel.peer.message(HandshakeType::finished, Buffer(12)));
    EXPECT_TRUE(failed(duel, Errc::unexpected_message, Alert::unexpected_message));
  }
}

TEST(Rfc5246_7_1, ARepeatedChangeCipherSpecChangesNothing) {
  for (const Role role : kRoles) {
    Duel duel(role, editing([&](Flight& flight) {
                if (!is_last_flight(flight)) return;
                for (int i = 0; i < 3; ++i) flight.insert(flight.end() - 1, change_cipher_spec());
                flight.push_back(change_cipher_spec());
              }));
    EXPECT_TRUE(works(duel));
    duel.deliver(change_cipher_spec());
    EXPECT_TRUE(works(duel));
  }
}

// "A single byte of value 1."
TEST(Rfc5246_7_1, AMalformedChangeCipherSpecIsDiscarded) {
  for (const Role role : kRoles) {
    for (const char* contents : {"", "00", "02", "0101", "010100"}) {
      SCOPED_TRACE(contents);
      Duel duel(role, editing([&](Flight& flight) {
                  if (is_last_flight(flight)) {
                    find(flight, ContentType::change_cipher_spec)->contents = from_hex(contents);
                  }
                }));
      duel.run();
      EXPECT_EQ(discards(duel, Discard::malformed_record), 1U);
      EXPECT_TRUE(still_waiting(duel));
      duel.deliver(change_cipher_spec());
      EXPECT_TRUE(works(duel));
    }
  }
}

TEST(Rfc5246_7_1, AnEncryptedChangeCipherSpecIsFatal) {
  for (const Role role : kRoles) {
    Duel duel(role, editing([&](Flight& flight) {
                if (!is_last_flight(flight)) return;
                OutgoingRecord encrypted = change_cipher_spec();
                encrypted.epoch = kFirstEncryptedEpoch12;
                flight.insert(flight.end() - 1, encrypted);
              }));
    duel.run();
    EXPECT_TRUE(failed(duel, Errc::unexpected_message, Alert::unexpected_message));
  }
}

TEST(Rfc5246_7_1, AnEncryptedChangeCipherSpecAfterTheHandshakeIsFatal) {
  for (const Role role : kRoles) {
    Duel duel(role);
    ASSERT_TRUE(works(duel));
    OutgoingRecord encrypted = change_cipher_spec();
    encrypted.epoch = kFirstEncryptedEpoch12;
    duel.deliver(encrypted);
    ASSERT_TRUE(duel.engine.error);
    EXPECT_EQ(duel.engine.error->code, Errc::unexpected_message);
    duel.collect();
    ASSERT_EQ(duel.peer.alerts.size(), 1U);
    EXPECT_EQ(duel.peer.alerts.front().description, Alert::unexpected_message);
    EXPECT_EQ(duel.peer.records.back().epoch, kFirstEncryptedEpoch12);
  }
}

// CVE-2014-8176. The data waits; with a wrong Finished behind it, it never comes out.
TEST(Rfc5246_7_1, DataBetweenChangeCipherSpecAndAWrongFinishedIsNeverDelivered) {
  for (const Role role : kRoles) {
    Script script = editing([&](Flight& flight) {
      if (!is_last_flight(flight)) return;
      flight.insert(flight.end() - 1, {ContentType::application_data, kFirstEncryptedEpoch12,
                                       copy_of(bytes_of("early"))});
    });
    script.alter = altering(HandshakeType::finished, [](Buffer& body) { body[5] ^= std::byte{1}; });
    Duel duel(role, script);
    duel.run();
    EXPECT_TRUE(failed(duel, Errc::bad_finished, Alert::decrypt_error));
  }
}

// CVE-2019-20786, CVE-2020-24585: application data in plaintext, before, during and after.
TEST(Rfc5246_10, PlaintextDataIsNeverDelivered) {
  for (const Role role : kRoles) {
    const OutgoingRecord plain{ContentType::application_data, kPlaintextEpoch,
                               copy_of(bytes_of("plain"))};
    Duel duel(role, editing([&](Flight& flight) {
                Flight mixed;
                for (const OutgoingRecord& record : flight) {
                  mixed.push_back(plain);
                  mixed.push_back(record);
                }
                mixed.push_back(plain);
                flight = std::move(mixed);
              }));
    duel.deliver(plain);
    duel.run();
    EXPECT_TRUE(duel.engine.connected);
    duel.deliver(plain);
    EXPECT_TRUE(duel.engine.data.empty());
    EXPECT_GE(discards(duel, Discard::unexpected_content), 4U);
    EXPECT_TRUE(works(duel));
  }
}

// Section 7.4.9.
TEST(Rfc5246_7_4_9, AWrongFinishedIsFatal) {
  for (const Role role : kRoles) {
    for (std::size_t byte = 0; byte < 12; ++byte) {
      Script script;
      script.alter =
          altering(HandshakeType::finished, [&](Buffer& body) { body[byte] ^= std::byte{0x80}; });
      Duel duel(role, script);
      duel.run();
      EXPECT_TRUE(failed(duel, Errc::bad_finished, Alert::decrypt_error));
    }
  }
}

TEST(Rfc5246_7_4_9, AFinishedOfAnotherLengthIsFatal) {
  for (const Role role : kRoles) {
    for (const std::size_t size : {0U, 1U, 11U, 13U, 24U}) {
      SCOPED_TRACE(size);
      Script script;
      script.alter = altering(HandshakeType::finished, [&](Buffer& body) { body.resize(size); });
      Duel duel(role, script);
      duel.run();
      EXPECT_TRUE(failed(duel, Errc::bad_finished, Alert::decrypt_error));
    }
  }
}

// The label tells whose Finished it is: sent back, the engine's own must not pass.
TEST(Rfc5246_7_4_9, TheEnginesOwnFinishedIsNotItsPeers) {
  Duel duel(Role::client, Script{});
  duel.peer.script.alter = [&](HandshakeType type, Buffer& body) {
    if (type == HandshakeType::finished) body = copy_of(Bytes(duel.peer.messages.back()).last(12));
  };
  duel.run();
  EXPECT_TRUE(failed(duel, Errc::bad_finished, Alert::decrypt_error));
}

}  // namespace
}  // namespace sluice::test
