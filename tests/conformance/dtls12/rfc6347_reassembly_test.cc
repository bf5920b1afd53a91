// RFC 6347 sections 4.2.2 and 4.2.3: the order of messages, their fragments and reassembly.
#include <gtest/gtest.h>

#include <random>

#include "conformance/dtls12/vocabulary.h"
#include "message/handshake_fragment.h"
#include "support/allocations.h"

namespace sluice::test {
namespace {

using dtls::message::HandshakeHeader;
using dtls::message::kHandshakeHeaderSize;

struct Cut {
  std::size_t offset;
  std::size_t length;
};
using Cutter = std::function<std::vector<Cut>(std::size_t body_size)>;

// Sends each handshake message in the pieces that the cutter says.
std::function<void(Flight&)> cutting(const Cutter& cutter) {
  return [cutter](Flight& flight) {
    Flight cut;
    for (const OutgoingRecord& record : flight) {
      if (record.type != ContentType::handshake) {
        cut.push_back(record);
        continue;
      }
      for (const Cut& piece : cutter(record.contents.size() - kHandshakeHeaderSize)) {
        cut.push_back(record);
        cut.back().contents = fragment_of(record.contents, piece.offset, piece.length);
      }
    }
    flight = std::move(cut);
  };
}

std::vector<Cut> pieces(std::size_t body, std::size_t size) {
  if (body == 0) return {{0, 0}};
  std::vector<Cut> cuts;
  for (std::size_t at = 0; at < body; at += size) cuts.push_back({at, std::min(size, body - at)});
  return cuts;
}

testing::AssertionResult works_cut(Role role, const Cutter& cutter) {
  Script script;
  script.edit = cutting(cutter);
  Duel duel(role, script);
  return works(duel);
}

// A fragment with a header of the test's own.
OutgoingRecord raw_fragment(HandshakeHeader header, Bytes body) {
  Buffer contents(kHandshakeHeaderSize);
  header.encode(contents);
  return {ContentType::handshake, kPlaintextEpoch, joined({contents, body})};
}

// The first message that the peer would send, and the type it has.
Duel before_first_message(Role role, dtls::ConfigOptions options = test::options()) {
  Script script;
  script.replies = false;
  Duel duel(role, script, std::move(options));
  duel.collect();
  return duel;
}
HandshakeType first_type(Role role) {
  return role == Role::server ? HandshakeType::client_hello : HandshakeType::server_hello;
}

TEST(Rfc6347_4_2_3, FragmentsOfAnySizeAreReassembled) {
  for (const Role role : kRoles) {
    for (const std::size_t size : {1U, 2U, 7U, 12U, 100U, 299U}) {
      SCOPED_TRACE(size);
      EXPECT_TRUE(works_cut(role, [&](std::size_t body) { return pieces(body, size); }));
    }
  }
}

TEST(Rfc6347_4_2_3, FragmentsInReverseOrderAreReassembled) {
  for (const Role role : kRoles) {
    for (const std::size_t size : {1U, 33U}) {
      EXPECT_TRUE(works_cut(role, [&](std::size_t body) {
        auto cuts = pieces(body, size);
        std::ranges::reverse(cuts);
        return cuts;
      }));
    }
  }
}

// "MUST be able to handle overlapping fragment ranges": a retransmission may be cut elsewhere.
TEST(Rfc6347_4_2_3, OverlappingFragmentsAreReassembled) {
  for (const Role role : kRoles) {
    EXPECT_TRUE(works_cut(role, [](std::size_t body) {
      return std::vector<Cut>{{0, body * 6 / 10}, {body * 4 / 10, body - body * 4 / 10}};
    }));
    EXPECT_TRUE(works_cut(role, [](std::size_t body) {
      return std::vector<Cut>{{body / 2, body - body / 2}, {body / 3, body / 3}, {0, body}};
    }));
    EXPECT_TRUE(works_cut(role, [](std::size_t body) {
      auto cuts = pieces(body, 10);
      for (const Cut& other : pieces(body, 7)) cuts.insert(cuts.begin(), other);
      return cuts;
    }));
  }
}

TEST(Rfc6347_4_2_3, RandomlyCutFragmentsAreReassembled) {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    const auto up_to = [&](std::size_t most) {
      return std::uniform_int_distribution<std::size_t>(0, most)(random);
    };
    EXPECT_TRUE(works_cut(kRoles[seed % 2], [&](std::size_t body) {
      auto cuts = pieces(body, 1 + up_to(50));
      for (int i = 0; i < 20; ++i) {
        const std::size_t offset = up_to(body);
        cuts.push_back({offset, up_to(body - offset)});
      }
      std::ranges::shuffle(cuts, random);
      return cuts;
    }));
  }
}

// CVE-2022-29190 looped on them.
TEST(Rfc6347_4_2_3, ZeroLengthFragmentsDoNoHarm) {
  for (const Role role : kRoles) {
    SCOPED_TRACE(to_string(role));
    EXPECT_TRUE(works_cut(role, [](std::size_t body) {
      std::vector<Cut> cuts{{0, 0}, {body / 2, 0}, {body, 0}};
      for (const Cut& cut : pieces(body, 40)) {
        cuts.push_back(cut);
        cuts.push_back({cut.offset, 0});
        cuts.push_back({cut.offset + cut.length, 0});
      }
      return cuts;
    }));
  }
}

TEST(Rfc6347_4_2_3, AZeroLengthFragmentCompletesNothing) {
  for (const Role role : kRoles) {
    Duel duel = before_first_message(role);
    for (const unsigned offset : {0U, 20U, 40U}) {
      duel.deliver(raw_fragment({first_type(role), 40, {}, offset, 0}, {}));
    }
    EXPECT_TRUE(still_waiting(duel));
  }
}

// Anyone can have sent either. The genuine message is not kept out, because the newest counts.
TEST(Rfc6347_4_2_3, FragmentsThatDifferInLengthOrTypeReplaceEachOther) {
  for (const Role role : kRoles) {
    Duel duel = before_first_message(role);
    duel.deliver(raw_fragment({first_type(role), 100, {}, 0, 10}, counted(10)));
    duel.deliver(raw_fragment({first_type(role), 200, {}, 10, 10}, counted(10)));
    EXPECT_EQ(discards(duel, Discard::malformed_record), 1U);
    duel.deliver(raw_fragment({HandshakeType::certificate, 200, {}, 10, 10}, counted(10)));
    EXPECT_EQ(discards(duel, Discard::malformed_record), 2U);
    EXPECT_TRUE(still_waiting(duel));
    duel.peer.script.replies = true;
    duel.deliver(duel.peer.message(first_type(role)));
    EXPECT_EQ(discards(duel, Discard::malformed_record), 3U);
    EXPECT_TRUE(still_waiting(duel));
    EXPECT_EQ(duel.engine.connection().statistics().count(Discard::stale_message), 0U);
  }
}

// CVE-2014-0195 wrote them where their offset said.
TEST(Rfc6347_4_2_3, AFragmentBeyondItsMessageIsMalformed) {
  for (const Role role : kRoles) {
    const std::vector<HandshakeHeader> headers{{first_type(role), 10, {}, 1, 10},
                                               {first_type(role), 10, {}, 11, 0},
                                               {first_type(role), 0, {}, 0, 10},
                                               {first_type(role), 10, {}, 0xffffff, 10},
                                               {first_type(role), 0xffffff, {}, 0xfffffe, 10}};
    for (const HandshakeHeader& header : headers) {
      SCOPED_TRACE(header.fragment_offset);
      Duel duel = before_first_message(role);
      duel.deliver(raw_fragment(header, counted(header.fragment_length)));
      EXPECT_EQ(discards(duel, Discard::malformed_record), 1U);
      EXPECT_TRUE(still_waiting(duel));
    }
  }
}

TEST(Rfc6347_4_2_3, AFragmentThatItsRecordCutsShortIsMalformed) {
  for (const Role role : kRoles) {
    for (const std::size_t size : {1U, 11U, 12U, 21U}) {
      SCOPED_TRACE(size);
      Duel duel = before_first_message(role);
      OutgoingRecord record = raw_fragment({first_type(role), 10, {}, 0, 10}, counted(10));
      record.contents.resize(size);
      duel.deliver(record);
      EXPECT_EQ(discards(duel, Discard::malformed_record), 1U);
      EXPECT_TRUE(still_waiting(duel));
    }
  }
}

TEST(Rfc6347_4_2_3, AMessageAboveTheBoundIsDiscarded) {
  for (const Role role : kRoles) {
    Duel duel = before_first_message(role);
    duel.deliver(raw_fragment({first_type(role), 0xffffff, {}, 0, 1}, counted(1)));
    EXPECT_EQ(discards(duel, Discard::reassembly_full), 1U);
    EXPECT_TRUE(still_waiting(duel));
  }
}

// Memory follows what has arrived, not what a header claims.
TEST(Rfc6347_4_2_3, A24BitLengthDoesNotAllocate) {
  for (const Role role : kRoles) {
    dtls::ConfigOptions options = test::options();
    options.max_handshake_message = 0xffffff;
    options.max_reassembly = 0x2000000;
    Duel duel = before_first_message(role, options);
    const auto before = allocations().bytes;
    for (std::uint16_t seq = 0; seq < 16; ++seq) {
      for (const std::uint32_t offset : {0x000000U, 0x800000U, 0xfffff0U}) {
        duel.deliver(raw_fragment(
            {first_type(role), 0xffffff, dtls::wire::MessageSeq{seq}, offset, 1}, counted(1)));
      }
    }
    EXPECT_LT(allocations().bytes - before, 32'768);
    EXPECT_TRUE(still_waiting(duel));
  }
}

// CVE-2016-2179, CVE-2022-29189: what can't be used yet was kept without a bound.
TEST(Rfc6347_4_2_2, MessagesThatAreNotDueHaveABound) {
  for (const Role role : kRoles) {
    Duel duel = before_first_message(role);
    const auto before = allocations().bytes;
    for (int round = 0; round < 20; ++round) {
      for (unsigned seq = 1; seq < 200; ++seq) {
        duel.deliver(raw_fragment({HandshakeType::certificate, 16'000,
                                   dtls::wire::MessageSeq(static_cast<std::uint16_t>(seq)),
                                   static_cast<std::uint32_t>(round) * 800, 700},
                                  counted(700)));
      }
    }
    const auto bound = static_cast<std::int64_t>(test::options().max_reassembly);
    EXPECT_LT(allocations().bytes - before, bound * 5 / 4);
    EXPECT_GT(discards(duel, Discard::reassembly_full), 3000U);
    EXPECT_TRUE(still_waiting(duel));
  }
}

TEST(Rfc6347_4_2_2, MessagesInAnyOrderAreQueued) {
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    Script script;
    script.edit = [&](Flight& flight) { std::ranges::shuffle(flight, random); };
    Duel duel(kRoles[seed % 2], script);
    EXPECT_TRUE(works(duel));
  }
}

TEST(Rfc6347_4_2_2, NothingBehindAGapIsProcessed) {
  for (const Role role : kRoles) {
    Script script;
    script.edit = [&](Flight& flight) { flight.erase(flight.begin()); };
    Duel duel(role, script);
    duel.run();
    EXPECT_TRUE(still_waiting(duel));
    EXPECT_EQ(duel.peer.messages.size(), role == Role::server ? 0U : 1U);
  }
}

TEST(Rfc6347_4_2_2, MessageSeqStartsAtZero) {
  for (const Role role : kRoles) {
    for (const int seq : {1, 2, 17, 0xffff}) {
      SCOPED_TRACE(seq);
      Script script;
      script.replies = false;
      Duel duel(role, script);
      duel.collect();
      duel.peer.set_next_seq(static_cast<std::uint16_t>(seq));
      duel.deliver(duel.peer.message(first_type(role)));
      EXPECT_TRUE(still_waiting(duel));
      EXPECT_EQ(duel.peer.messages.size(), role == Role::server ? 0U : 1U);
    }
  }
}

// "If the sequence number is less than next_receive_seq, the message MUST be discarded."
TEST(Rfc6347_4_2_2, AnOldMessageIsDiscardedWhateverItSays) {
  for (const Role role : kRoles) {
    Duel duel(role);
    bool injected = false;
    for (int flight = 0; flight < 3; ++flight) {
      duel.collect();
      for (Buffer& datagram : duel.peer.take_datagrams()) {
        duel.deliver(std::move(datagram));
        if (duel.engine.connected) continue;
        duel.deliver(raw_fragment({HandshakeType::finished, 5, {}, 0, 5}, counted(5)));
        duel.deliver(raw_fragment({HandshakeType::client_hello, 0xffffff, {}, 0, 5}, counted(5)));
        injected = true;
      }
    }
    EXPECT_TRUE(injected);
    EXPECT_GE(discards(duel, Discard::stale_message), 2U);
    EXPECT_TRUE(works(duel));
  }
}

// "Multiple handshake messages may be placed in the same DTLS record."
TEST(Rfc6347_4_2_3, SeveralMessagesInOneRecord) {
  for (const Role role : kRoles) {
    Script script;
    script.edit = [](Flight& flight) {
      Flight packed;
      for (OutgoingRecord& record : flight) {
        const bool joins = !packed.empty() && packed.back().type == ContentType::handshake &&
                           record.type == ContentType::handshake &&
                           packed.back().epoch == record.epoch;
        if (joins) {
          packed.back().contents = joined({packed.back().contents, record.contents});
        } else {
          packed.push_back(std::move(record));
        }
      }
      flight = std::move(packed);
    };
    Duel duel(role, script);
    EXPECT_TRUE(works(duel));
  }
}

TEST(Rfc6347_4_2_3, BytesBehindAMessageInItsRecordAreMalformed) {
  for (const Role role : kRoles) {
    Duel duel = before_first_message(role);
    OutgoingRecord record = duel.peer.message(first_type(role));
    record.contents.push_back(std::byte{0});
    duel.deliver(record);
    EXPECT_EQ(discards(duel, Discard::malformed_record), 1U);
    EXPECT_TRUE(still_waiting(duel));
  }
}

// CVE-2023-6937 took a message whose fragments lie on both sides of a change of keys.
TEST(Rfc6347_4_1, AMessageThatSpansTwoEpochsIsNotCompleted) {
  for (const Role role : kRoles) {
    SCOPED_TRACE(to_string(role));
    Script script;
    script.edit = [](Flight& flight) {
      if (flight.back().epoch == kPlaintextEpoch) return;
      const OutgoingRecord finished = flight.back();
      OutgoingRecord first = finished;
      first.epoch = kPlaintextEpoch;
      first.contents = fragment_of(finished.contents, 0, 6);
      flight.back().contents = fragment_of(finished.contents, 6, 6);
      flight.insert(flight.end() - 2, first);
    };
    Duel duel(role, script);
    duel.run();
    EXPECT_EQ(discards(duel, Discard::unexpected_content), 1U);
    EXPECT_TRUE(still_waiting(duel));
  }
}

// Section 4.1.1: each of our own datagrams fits the path, and what we cut can be put together.
TEST(Rfc6347_4_2_3, OurFragmentsFitTheMtu) {
  for (const Role role : kRoles) {
    for (const std::size_t mtu : {256U, 300U, 577U}) {
      SCOPED_TRACE(mtu);
      dtls::ConfigOptions options = test::options();
      options.mtu = mtu;
      Duel duel(role, {}, options);
      std::size_t count = 0;
      for (int flight = 0; flight < 4; ++flight) {
        for (Buffer& datagram : duel.peer.take_datagrams()) duel.deliver(std::move(datagram));
        for (const Buffer& datagram : duel.engine.take_datagrams()) {
          EXPECT_LE(datagram.size(), mtu);
          duel.peer.receive(datagram);
          ++count;
        }
      }
      EXPECT_GE(count, mtu == 256 ? 4U : 2U);
      EXPECT_TRUE(works(duel));
    }
  }
}

}  // namespace
}  // namespace sluice::test
