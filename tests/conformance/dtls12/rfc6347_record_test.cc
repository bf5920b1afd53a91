// RFC 6347 section 4.1: what a record must be, and what becomes of one that isn't.
#include <gtest/gtest.h>

#include <ranges>

#include "conformance/dtls12/vocabulary.h"

namespace sluice::test {
namespace {

constexpr std::size_t kSequenceAt = 5;

// A handshake that has come as far as one flight from the engine.
Duel half_way(Role role) {
  Duel duel(role);
  if (role == Role::server) {
    for (Buffer& datagram : duel.peer.take_datagrams()) duel.deliver(std::move(datagram));
  }
  return duel;
}

Buffer with_flipped_bit(Buffer record, std::size_t byte) {
  record[byte] ^= std::byte{1};
  return record;
}

TEST(Rfc6347_4_1, RecordsOfNoDtlsVersionAreDiscarded) {
  for (const Role role : kRoles) {
    SCOPED_TRACE(to_string(role));
    Duel duel = half_way(role);
    unsigned sent = 0;
    for (const unsigned version : {0x0303U, 0x0301U, 0x0101U, 0xfdfdU, 0xffffU, 0x0000U}) {
      duel.deliver({ContentType::handshake, kPlaintextEpoch, from_hex("ffff"),
                    static_cast<ProtocolVersion>(version)});
      EXPECT_EQ(discards(duel, Discard::unknown_version), ++sent);
    }
    EXPECT_TRUE(works(duel));
  }
}

TEST(Rfc6347_4_1, EncryptedRecordsOfAnotherVersionAreDiscarded) {
  for (const Role role : kRoles) {
    SCOPED_TRACE(to_string(role));
    Duel duel(role);
    ASSERT_TRUE(works(duel));
    const std::size_t before = duel.engine.data.size();
    for (const unsigned version : {0xfeffU, 0xfefcU, 0x0303U}) {
      duel.deliver({ContentType::application_data, kFirstEncryptedEpoch12, from_hex("00"),
                    static_cast<ProtocolVersion>(version)});
    }
    EXPECT_EQ(discards(duel, Discard::unknown_version), 3U);
    EXPECT_EQ(duel.engine.data.size(), before);
    EXPECT_TRUE(works(duel));
  }
}

// RFC 5246 appendix E.1, with DTLS's 254 for TLS's 3: the record's version of a ClientHello says
// nothing.
TEST(Rfc5246_E_1, AnyMinorVersionInTheRecordOfAClientHelloIsAccepted) {
  for (const unsigned version : {0xfeffU, 0xfefdU, 0xfefcU, 0xfe00U}) {
    SCOPED_TRACE(version);
    Script script;
    script.edit = [&](Flight& flight) {
      if (type_of(flight.front().contents) == HandshakeType::client_hello) {
        flight.front().version = static_cast<ProtocolVersion>(version);
      }
    };
    Duel duel(Role::server, script);
    EXPECT_TRUE(works(duel));
  }
}

TEST(Rfc6347_4_1, RecordsThatEndEarlyAreDiscarded) {
  for (const Role role : kRoles) {
    SCOPED_TRACE(to_string(role));
    Duel duel(role);
    ASSERT_TRUE(works(duel));
    const Buffer whole = duel.peer.data(bytes_of("data"));
    for (std::size_t size = 1; size < whole.size(); ++size) {
      duel.deliver(copy_of(Bytes(whole).first(size)));
    }
    EXPECT_EQ(discards(duel, Discard::malformed_record), whole.size() - 1);
    duel.deliver(Buffer{});
    EXPECT_TRUE(works(duel));
  }
}

TEST(Rfc6347_4_1, APlaintextRecordAbove2To14BytesIsDiscarded) {
  for (const Role role : kRoles) {
    SCOPED_TRACE(to_string(role));
    Duel duel = half_way(role);
    duel.deliver({ContentType::handshake, kPlaintextEpoch, Buffer(16385)});
    EXPECT_EQ(discards(duel, Discard::malformed_record), 1U);
    EXPECT_TRUE(works(duel));
  }
}

TEST(Rfc6347_4_1, RecordsOfAnUnknownEpochAreDiscarded) {
  for (const Role role : kRoles) {
    SCOPED_TRACE(to_string(role));
    Duel duel(role);
    ASSERT_TRUE(works(duel));
    const Buffer genuine = duel.peer.data(bytes_of("data"));
    for (const unsigned epoch : {0U, 2U, 3U, 0xffffU}) {
      Buffer record = genuine;
      record[3] = static_cast<std::byte>(epoch >> 8);
      record[4] = static_cast<std::byte>(epoch & 0xff);
      duel.deliver(std::move(record));
    }
    EXPECT_EQ(discards(duel, Discard::unknown_epoch), 4U);
    EXPECT_TRUE(works(duel));
  }
}

// "Until the handshake has completed, implementations MUST accept packets from the old epoch."
TEST(Rfc6347_4_1, MessagesOfTheOldEpochCountAfterChangeCipherSpec) {
  for (const Role role : kRoles) {
    SCOPED_TRACE(to_string(role));
    Script script;
    script.edit = [&](Flight& flight) {
      if (flight.size() < 2) return;
      if (role == Role::server) {
        // ChangeCipherSpec and Finished overtake the rest of the client's flight.
        std::rotate(flight.begin(), flight.end() - 2, flight.end());
      } else if (flight.size() > 2) {
        flight.insert(flight.begin(), change_cipher_spec());
      }
    };
    Duel duel(role, script);
    EXPECT_TRUE(works(duel));
  }
}

TEST(Rfc6347_4_1, SequenceNumbersStartAtZeroInEachEpochAndNeverRepeat) {
  for (const Role role : kRoles) {
    SCOPED_TRACE(to_string(role));
    Duel duel = half_way(role);
    duel.wait(10s);  // some flights are lost
    duel.expire();
    ASSERT_TRUE(works(duel));
    std::map<Epoch, std::uint64_t> next;
    for (const IncomingRecord& record : duel.peer.records) {
      EXPECT_GE(record.sequence, next[record.epoch]);
      next[record.epoch] = record.sequence + 1;
    }
    const auto first =
        std::ranges::find(duel.peer.records, kFirstEncryptedEpoch12, &IncomingRecord::epoch);
    ASSERT_NE(first, duel.peer.records.end());
    EXPECT_EQ(first->sequence, 0U);
  }
}

TEST(Rfc6347_4_1_1, SeveralRecordsADatagramAndABrokenOneAmongThem) {
  for (const Role role : kRoles) {
    SCOPED_TRACE(to_string(role));
    Duel duel(role);
    ASSERT_TRUE(works(duel));
    const std::size_t before = duel.engine.data.size();
    const Buffer first = duel.peer.data(bytes_of("first"));
    const Buffer forged = with_flipped_bit(duel.peer.data(bytes_of("forged")), 20);
    const Buffer old = duel.peer.seal({ContentType::application_data, Epoch{0}, from_hex("00")});
    const Buffer foreign = duel.peer.seal({ContentType::application_data, kFirstEncryptedEpoch12,
                                           from_hex("00"), ProtocolVersion::dtls10});
    const Buffer last = duel.peer.data(bytes_of("last"));
    duel.deliver(joined({first, forged, old, foreign, last, Bytes(first).first(20)}));
    ASSERT_EQ(duel.engine.data.size(), before + 2);
    EXPECT_EQ(duel.engine.data[before], copy_of(bytes_of("first")));
    EXPECT_EQ(duel.engine.data[before + 1], copy_of(bytes_of("last")));
    EXPECT_EQ(discards(duel, Discard::authentication_failed), 1U);
    EXPECT_EQ(discards(duel, Discard::unknown_epoch), 1U);
    EXPECT_EQ(discards(duel, Discard::unknown_version), 1U);
    EXPECT_EQ(discards(duel, Discard::malformed_record), 1U);
    EXPECT_TRUE(works(duel));
  }
}

TEST(Rfc6347_4_1_1, ABrokenRecordAmongHandshakeRecordsCostsNothing) {
  for (const Role role : kRoles) {
    SCOPED_TRACE(to_string(role));
    Duel duel(role);
    const OutgoingRecord broken{ContentType::handshake, kPlaintextEpoch, from_hex("00"),
                                static_cast<ProtocolVersion>(0x0303)};
    for (int flight = 0; flight < 3; ++flight) {
      duel.collect();
      Buffer datagram;
      for (const Buffer& record : duel.peer.take_datagrams()) {
        datagram = joined({datagram, record, duel.peer.seal(broken)});
      }
      duel.deliver(std::move(datagram));
    }
    EXPECT_TRUE(works(duel));
  }
}

// An AEAD record needs room for the explicit nonce and the tag.
TEST(Rfc6347_4_1_2_7, ShortEncryptedRecordsAreDiscarded) {
  for (const auto suite : {CipherSuite::ecdhe_ecdsa_with_aes_128_gcm_sha256,
                           CipherSuite::ecdhe_ecdsa_with_chacha20_poly1305_sha256}) {
    for (const Role role : kRoles) {
      SCOPED_TRACE(to_string(role));
      Script script;
      script.client_hello.suites = {suite};
      script.server_hello.suite = suite;
      Duel duel(role, script);
      ASSERT_TRUE(works(duel));
      const std::size_t before = duel.engine.data.size();
      const std::size_t least = duel.peer.data({}).size() - dtls::record::kHeaderSize12;
      for (std::size_t size = 0; size < least; ++size) {
        Buffer record = duel.peer.data(bytes_of("x"));
        record.resize(dtls::record::kHeaderSize12 + size);
        record[12] = static_cast<std::byte>(size);
        duel.deliver(std::move(record));
      }
      EXPECT_EQ(discards(duel, Discard::authentication_failed), least);
      EXPECT_EQ(duel.engine.data.size(), before);
      EXPECT_TRUE(works(duel));
    }
  }
}

TEST(Rfc6347_4_1_2_1, RecordsThatFailToAuthenticateAreDiscarded) {
  for (const auto suite : {CipherSuite::ecdhe_ecdsa_with_aes_128_gcm_sha256,
                           CipherSuite::ecdhe_ecdsa_with_aes_256_gcm_sha384,
                           CipherSuite::ecdhe_ecdsa_with_chacha20_poly1305_sha256}) {
    for (const Role role : kRoles) {
      SCOPED_TRACE(to_string(role));
      Script script;
      script.client_hello.suites = {suite};
      script.server_hello.suite = suite;
      Duel duel(role, script);
      ASSERT_TRUE(works(duel));
      const std::size_t before = duel.engine.data.size();
      const Buffer genuine = duel.peer.data(bytes_of("genuine"));
      // Any bit of type, sequence number, nonce, ciphertext or tag.
      std::uint32_t sent = 0;
      for (std::size_t byte = 0; byte < genuine.size(); ++byte) {
        if ((byte >= 1 && byte <= 4) || byte == 11 || byte == 12) continue;
        duel.deliver(with_flipped_bit(genuine, byte));
        EXPECT_EQ(discards(duel, Discard::authentication_failed), ++sent) << "byte " << byte;
      }
      EXPECT_EQ(duel.engine.data.size(), before);
      duel.deliver(genuine);
      EXPECT_EQ(duel.engine.data.size(), before + 1);
      EXPECT_TRUE(works(duel));
    }
  }
}

TEST(Rfc6347_4_1_2_1, AForgedFinishedDoesNotEndTheHandshake) {
  for (const Role role : kRoles) {
    SCOPED_TRACE(to_string(role));
    Duel duel(role);
    for (int flight = 0; flight < 3; ++flight) {
      duel.collect();
      for (const Buffer& record : duel.peer.take_datagrams()) {
        if (record[4] == std::byte{1}) {
          for (std::size_t byte = dtls::record::kHeaderSize12; byte < record.size(); ++byte) {
            duel.deliver(with_flipped_bit(record, byte));
          }
          EXPECT_TRUE(still_waiting(duel));
        }
        duel.deliver(record);
      }
    }
    EXPECT_GT(discards(duel, Discard::authentication_failed), 24U);
    EXPECT_TRUE(works(duel));
  }
}

TEST(Rfc6347_4_1_2_6, AReplayedRecordIsDiscarded) {
  for (const Role role : kRoles) {
    SCOPED_TRACE(to_string(role));
    Duel duel(role);
    ASSERT_TRUE(works(duel));
    const std::size_t before = duel.engine.data.size();
    std::vector<Buffer> sent;
    for (int i = 0; i < 50; ++i) sent.push_back(duel.peer.data(bytes_of("once")));
    for (int round = 0; round < 3; ++round) {
      for (const Buffer& record : sent) duel.deliver(record);
    }
    EXPECT_EQ(duel.engine.data.size(), before + sent.size());
    EXPECT_EQ(discards(duel, Discard::replayed), 2 * sent.size());
    EXPECT_TRUE(works(duel));
  }
}

// "A minimum window size of 32 MUST be supported."
TEST(Rfc6347_4_1_2_6, ReorderedRecordsWithinTheWindowAreAcceptedOnce) {
  for (const Role role : kRoles) {
    SCOPED_TRACE(to_string(role));
    Duel duel(role);
    ASSERT_TRUE(works(duel));
    const std::size_t before = duel.engine.data.size();
    std::vector<Buffer> sent;
    for (int i = 0; i < 32; ++i) sent.push_back(duel.peer.data(bytes_of("any order")));
    for (int round = 0; round < 2; ++round) {
      for (const Buffer& record : sent | std::views::reverse) duel.deliver(record);
    }
    EXPECT_EQ(duel.engine.data.size(), before + 32);
    EXPECT_EQ(discards(duel, Discard::replayed), 32U);
  }
}

TEST(Rfc6347_4_1_2_6, RecordsLeftOfTheWindowAreDiscarded) {
  for (const Role role : kRoles) {
    SCOPED_TRACE(to_string(role));
    Duel duel(role);
    ASSERT_TRUE(works(duel));
    const std::size_t before = duel.engine.data.size();
    const Buffer old = duel.peer.data(bytes_of("old"));
    duel.deliver({ContentType::application_data, kFirstEncryptedEpoch12, from_hex("00"),
                  ProtocolVersion::dtls12, 1'000'000});
    duel.deliver(old);
    EXPECT_EQ(duel.engine.data.size(), before + 1);
    EXPECT_EQ(discards(duel, Discard::replayed), 1U);
  }
}

// "The receive window is updated only if the MAC verification succeeds": CVE-2016-2181 moved it
// first.
TEST(Rfc6347_4_1_2_6, AForgedHugeSequenceNumberDoesNotMoveTheWindow) {
  for (const Role role : kRoles) {
    SCOPED_TRACE(to_string(role));
    Duel duel(role);
    ASSERT_TRUE(works(duel));
    Buffer forged = duel.peer.data(bytes_of("forged"));
    for (std::size_t byte = kSequenceAt; byte < kSequenceAt + 6; ++byte) {
      forged[byte] = std::byte{0xff};
    }
    duel.deliver(std::move(forged));
    EXPECT_EQ(discards(duel, Discard::authentication_failed), 1U);
    EXPECT_TRUE(works(duel));
  }
}

TEST(Rfc6347_4_1_2_6, TheLargestSequenceNumberIsAccepted) {
  for (const Role role : kRoles) {
    SCOPED_TRACE(to_string(role));
    Duel duel(role);
    ASSERT_TRUE(works(duel));
    const std::size_t before = duel.engine.data.size();
    for (int i = 0; i < 2; ++i) {
      duel.deliver({ContentType::application_data, kFirstEncryptedEpoch12, from_hex("00"),
                    ProtocolVersion::dtls12, dtls::wire::kMaxSequenceNumber});
    }
    EXPECT_EQ(duel.engine.data.size(), before + 1);
    EXPECT_EQ(discards(duel, Discard::replayed), 1U);
  }
}

// RFC 5246 section 6: what has no known type is fatal in a record that proves to be the peer's; in
// plaintext anybody can have sent it.
TEST(Rfc5246_6, UnknownContentTypes) {
  for (const Role role : kRoles) {
    for (const unsigned type : {0U, 19U, 24U, 26U, 255U}) {
      SCOPED_TRACE(type);
      Duel duel = half_way(role);
      const OutgoingRecord plain{static_cast<ContentType>(type), kPlaintextEpoch, from_hex("00")};
      duel.deliver(plain);
      EXPECT_EQ(discards(duel, Discard::unexpected_content), 1U);
      ASSERT_TRUE(works(duel));
      duel.deliver(OutgoingRecord{plain.type, kFirstEncryptedEpoch12, plain.contents});
      ASSERT_TRUE(duel.engine.error);
      EXPECT_EQ(duel.engine.error->code, Errc::unexpected_message);
      duel.collect();
      ASSERT_EQ(duel.peer.alerts.size(), 1U);
      EXPECT_EQ(duel.peer.alerts.front().description, Alert::unexpected_message);
    }
  }
}

// RFC 5246 section 6.2.1: "Zero-length fragments of Application data MAY be sent", of others not.
TEST(Rfc5246_6_2_1, ZeroLengthRecords) {
  for (const Role role : kRoles) {
    SCOPED_TRACE(to_string(role));
    Duel duel(role);
    ASSERT_TRUE(works(duel));
    duel.deliver(duel.peer.data({}));
    EXPECT_TRUE(works(duel));
    for (const auto type : {ContentType::handshake, ContentType::alert}) {
      Duel other = half_way(role);
      other.deliver({type, kPlaintextEpoch, {}});
      EXPECT_EQ(discards(other, Discard::malformed_record), 1U);
      EXPECT_TRUE(works(other));
    }
  }
}

}  // namespace
}  // namespace sluice::test
