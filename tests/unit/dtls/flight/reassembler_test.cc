#include "flight/reassembler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "unit/dtls/flight/fragments.h"

namespace sluice::dtls::flight {
namespace {

using test::Message;
using test::Piece;
using test::to_hex;
using wire::kFirstApplicationEpoch13;
using wire::kFirstEncryptedEpoch12;
using wire::kHandshakeEpoch13;
using wire::kPlaintextEpoch;
using Outcome = Reassembler::Outcome;

constexpr ReassemblyLimits kLimits{.max_message = 65536, .max_bytes = 131072};

// Adds a fragment of epoch 0; what came of it, in words.
std::string add(Reassembler& reassembler, const message::HandshakeFragment& fragment,
                wire::Epoch epoch = kPlaintextEpoch) {
  return test::words_for(reassembler.add(fragment, epoch));
}

TEST(Reassembler, GivesAWholeMessageWithTheHeaderOfAnUnfragmentedOne) {
  const Message message(20);
  Reassembler reassembler(kLimits);
  EXPECT_TRUE(reassembler.empty());
  EXPECT_EQ(add(reassembler, message.cut({.offset = 0, .length = 12})), "kept");
  EXPECT_FALSE(reassembler.empty());
  EXPECT_FALSE(reassembler.front());
  EXPECT_EQ(add(reassembler, message.cut({.offset = 12, .length = 8})), "kept");
  const auto whole = reassembler.front();
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->type, wire::HandshakeType::certificate);
  EXPECT_EQ(whole->message_seq, wire::MessageSeq{0});
  EXPECT_EQ(whole->epoch, kPlaintextEpoch);
  EXPECT_EQ(to_hex(whole->body()), message.body());
  // RFC 6347 section 4.2.6: the transcript takes it as if it had come in one piece.
  EXPECT_EQ(to_hex(whole->encoding),
            "0b"
            "000014"
            "0000"
            "000000"
            "000014" +
                message.body());
  reassembler.pop();
  EXPECT_TRUE(reassembler.empty());
  EXPECT_EQ(reassembler.next_seq(), wire::MessageSeq{1});
}

// RFC 6347 section 4.2.2: message_seq doesn't wrap. Behind the last number nothing is new.
TEST(Reassembler, TheLastNumberIsFollowedByNone) {
  const Message message(1);
  Reassembler reassembler(kLimits);
  for (unsigned seq = 0; seq <= 0xffff; ++seq) {
    ASSERT_EQ(add(reassembler, message.whole(static_cast<std::uint16_t>(seq))), "kept") << seq;
    reassembler.pop();
  }
  for (const std::uint16_t seq : std::vector<std::uint16_t>{0, 1, 0xffff}) {
    EXPECT_EQ(add(reassembler, message.whole(seq)), "stale") << seq;
  }
  EXPECT_FALSE(reassembler.front());
}

TEST(Reassembler, TakesFragmentsInEveryOrder) {
  const Message message(11);
  std::vector<Piece> pieces{{.offset = 0, .length = 1},
                            {.offset = 1, .length = 4},
                            {.offset = 5, .length = 2},
                            {.offset = 7, .length = 3},
                            {.offset = 10, .length = 1}};
  const auto by_offset = [](const Piece& a, const Piece& b) { return a.offset < b.offset; };
  int orders = 0;
  do {
    Reassembler reassembler(kLimits);
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      EXPECT_FALSE(reassembler.front()) << "order " << orders << ", after " << i;
      EXPECT_EQ(add(reassembler, message.cut(pieces[i])), "kept");
    }
    ASSERT_EQ(test::take(reassembler), message.body()) << "order " << orders;
    EXPECT_TRUE(reassembler.empty());
    ++orders;
  } while (std::ranges::next_permutation(pieces, by_offset).found);
  EXPECT_EQ(orders, 120);
}

// A retransmission may be cut at other offsets than the first time.
TEST(Reassembler, TakesAnyOverlappingCuts) {
  constexpr std::uint64_t kSeed = 471;
  std::mt19937_64 random(kSeed);
  const Message message(97);
  for (int round = 0; round < 500; ++round) {
    Reassembler reassembler(kLimits);
    std::vector<bool> covered(message.size());
    while (std::ranges::find(covered, false) != covered.end()) {
      EXPECT_FALSE(reassembler.front());
      const std::size_t offset = random() % covered.size();
      const std::size_t length = 1 + random() % std::min<std::size_t>(30, covered.size() - offset);
      ASSERT_EQ(add(reassembler, message.cut({.offset = offset, .length = length})), "kept");
      std::fill_n(covered.begin() + static_cast<std::ptrdiff_t>(offset), length, true);
    }
    ASSERT_EQ(test::take(reassembler), message.body()) << "seed " << kSeed << ", round " << round;
  }
}

TEST(Reassembler, ALongerPieceReplacesAShorterOneAtTheSamePlace) {
  const Message message(10);
  for (const bool longer_first : {false, true}) {
    Reassembler reassembler(kLimits);
    EXPECT_EQ(add(reassembler, message.cut({.offset = 4, .length = longer_first ? 6U : 2U})),
              "kept");
    EXPECT_EQ(add(reassembler, message.cut({.offset = 4, .length = longer_first ? 2U : 6U})),
              "kept");
    EXPECT_EQ(add(reassembler, message.cut({.offset = 0, .length = 4})), "kept");
    EXPECT_EQ(test::take(reassembler), message.body());
  }
}

TEST(Reassembler, ARepetitionOfAFragmentChangesNothing) {
  const Message message(10);
  Reassembler reassembler(kLimits);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(add(reassembler, message.cut({.offset = 6, .length = 4})), "kept");
    EXPECT_EQ(add(reassembler, message.cut({.offset = 0, .length = 3})), "kept");
  }
  EXPECT_FALSE(reassembler.front());
  EXPECT_EQ(add(reassembler, message.cut({.offset = 3, .length = 3})), "kept");
  EXPECT_EQ(add(reassembler, message.whole()), "kept");
  EXPECT_EQ(test::take(reassembler), message.body());
}

TEST(Reassembler, AMessageWithoutABodyIsOneFragment) {
  Reassembler reassembler(kLimits);
  EXPECT_EQ(add(reassembler, Message(0).whole()), "kept");
  EXPECT_EQ(test::take(reassembler), "");
}

// CVE-2022-29190 and kin: a fragment of nothing, wherever it says that it lies.
TEST(Reassembler, ZeroLengthFragmentsSayNothing) {
  const Message message(10);
  Reassembler reassembler(kLimits);
  for (const std::size_t offset : {0U, 5U, 10U}) {
    EXPECT_EQ(add(reassembler, message.cut({.offset = offset, .length = 0})), "kept");
    EXPECT_TRUE(reassembler.empty()) << "they don't begin a message";
    EXPECT_FALSE(reassembler.front());
  }
  EXPECT_EQ(add(reassembler, message.cut({.offset = 0, .length = 5})), "kept");
  EXPECT_EQ(add(reassembler, message.cut({.offset = 5, .length = 0})), "kept");
  EXPECT_FALSE(reassembler.front()) << "and don't end one";
  EXPECT_EQ(add(reassembler, message.cut({.offset = 5, .length = 5})), "kept");
  EXPECT_EQ(test::take(reassembler), message.body());
}

TEST(Reassembler, KeepsLaterMessagesUntilTheyAreDue) {
  const Message first(30);
  const Message second(40);
  const Message third(50);
  Reassembler reassembler(kLimits);
  EXPECT_EQ(add(reassembler, third.whole(2)), "kept");
  EXPECT_EQ(add(reassembler, second.cut({.seq = 1, .offset = 20, .length = 20})), "kept");
  EXPECT_FALSE(reassembler.front());
  EXPECT_EQ(add(reassembler, first.whole(0)), "kept");
  EXPECT_EQ(test::take(reassembler), first.body());
  EXPECT_FALSE(reassembler.front());
  EXPECT_EQ(add(reassembler, second.cut({.seq = 1, .offset = 0, .length = 25})), "kept");
  EXPECT_EQ(test::take(reassembler), second.body());
  EXPECT_EQ(test::take(reassembler), third.body());
  EXPECT_TRUE(reassembler.empty());
}

TEST(Reassembler, WhatWasTakenIsStale) {
  const Message message(10);
  Reassembler reassembler(kLimits);
  EXPECT_EQ(add(reassembler, message.whole(0)), "kept");
  EXPECT_EQ(test::take(reassembler), message.body());
  EXPECT_EQ(add(reassembler, message.whole(0)), "stale");
  EXPECT_EQ(add(reassembler, message.cut({.seq = 0, .offset = 3, .length = 0})), "stale");
  // Even if it contradicts what it was.
  EXPECT_EQ(add(reassembler, Message(4).whole(0)), "stale");
  EXPECT_TRUE(reassembler.empty());
}

TEST(Reassembler, FarAheadIsTooFar) {
  const Message message(10);
  Reassembler reassembler(kLimits);
  EXPECT_EQ(add(reassembler, message.whole(16)), "kept");
  EXPECT_EQ(add(reassembler, message.whole(17)), "full");
  EXPECT_EQ(add(reassembler, message.whole(0xffff)), "full");
  EXPECT_EQ(add(reassembler, message.whole(0)), "kept");
  EXPECT_EQ(test::take(reassembler), message.body());
  EXPECT_EQ(add(reassembler, message.whole(17)), "kept");
}

// RFC 6347 section 4.2.3: all fragments of a message carry its length and type.
TEST(Reassembler, EncryptedFragmentsThatContradictEachOtherAreFatal) {
  const Message message(10);
  const auto after_first = [&](const message::HandshakeFragment& fragment, wire::Epoch epoch) {
    Reassembler reassembler(kLimits);
    EXPECT_EQ(add(reassembler, message.cut({.offset = 0, .length = 4}), kHandshakeEpoch13), "kept");
    const auto outcome = reassembler.add(fragment, epoch);
    return outcome ? std::nullopt : outcome.error().alert;
  };
  const Message longer(11);
  EXPECT_EQ(after_first(longer.cut({.offset = 4, .length = 4}), kHandshakeEpoch13),
            Alert::illegal_parameter);
  const Piece other_type{.offset = 4, .length = 4, .type = wire::HandshakeType::finished};
  EXPECT_EQ(after_first(message.cut(other_type), kHandshakeEpoch13), Alert::illegal_parameter);
  EXPECT_EQ(after_first(message.cut({.offset = 4, .length = 6}), kFirstApplicationEpoch13),
            Alert::unexpected_message)
      << "one message under two keys";
  EXPECT_EQ(after_first(message.cut({.offset = 4, .length = 6}), kHandshakeEpoch13), std::nullopt);
}

// Anyone can have sent a plaintext fragment: it neither ends anything nor keeps another out.
TEST(Reassembler, OfPlaintextFragmentsThatContradictEachOtherTheNewestCounts) {
  const Message message(10);
  const Message longer(11);
  Reassembler reassembler(kLimits);
  EXPECT_EQ(add(reassembler, longer.cut({.offset = 5, .length = 4})), "kept");
  EXPECT_EQ(add(reassembler, message.cut({.offset = 0, .length = 6})), "replaced");
  EXPECT_EQ(add(reassembler,
                message.cut({.offset = 0, .length = 9, .type = wire::HandshakeType::finished})),
            "replaced");
  EXPECT_FALSE(reassembler.front());
  EXPECT_EQ(add(reassembler, message.whole()), "replaced");
  EXPECT_EQ(test::take(reassembler), message.body());
  EXPECT_TRUE(reassembler.empty());
}

TEST(Reassembler, EncryptedFragmentsReplacePlaintextOnes) {
  const Message message(10);
  Reassembler reassembler(kLimits);
  EXPECT_EQ(add(reassembler, message.cut({.offset = 0, .length = 5})), "kept");
  EXPECT_EQ(add(reassembler, message.cut({.offset = 5, .length = 5}), kFirstEncryptedEpoch12),
            "replaced");
  EXPECT_EQ(add(reassembler, message.cut({.offset = 0, .length = 5})), "plaintext");
  EXPECT_FALSE(reassembler.front());
  EXPECT_EQ(add(reassembler, message.cut({.offset = 0, .length = 5}), kFirstEncryptedEpoch12),
            "kept");
  EXPECT_EQ(test::take(reassembler), message.body());
}

TEST(Reassembler, ALaterMessageMayBeOfTheNextEpoch) {
  const Message message(12);
  Reassembler reassembler(kLimits);
  EXPECT_EQ(add(reassembler, message.whole(1), kFirstEncryptedEpoch12), "kept");
  EXPECT_EQ(add(reassembler, message.whole(0)), "kept");
  EXPECT_EQ(reassembler.front()->epoch, kPlaintextEpoch);
  reassembler.pop();
  EXPECT_EQ(reassembler.front()->epoch, kFirstEncryptedEpoch12);
}

TEST(Reassembler, AMessageHasALimitThatItsFirstFragmentShows) {
  const ReassemblyLimits limits{.max_message = 2048, .max_bytes = 4096};
  Reassembler reassembler(limits);
  EXPECT_EQ(add(reassembler, Message(2049).cut({.offset = 0, .length = 1})), "full");
  const auto too_long =
      reassembler.add(Message(2049).cut({.offset = 0, .length = 1}), kFirstEncryptedEpoch12);
  ASSERT_FALSE(too_long);
  EXPECT_EQ(too_long.error().code, Errc::excessive_message);
  EXPECT_EQ(too_long.error().alert, Alert::illegal_parameter);
  EXPECT_TRUE(reassembler.empty());
  const Message longest(2048);
  EXPECT_EQ(add(reassembler, longest.whole()), "kept");
  EXPECT_EQ(test::take(reassembler), longest.body());
}

// Config takes max_reassembly = max_handshake_message, and says that it takes such a message.
TEST(Reassembler, TheLongestMessageFitsIntoTheSmallestBound) {
  const ReassemblyLimits limits{.max_message = 2048, .max_bytes = 2048};
  const Message longest(2048);
  for (const std::size_t mtu : {100U, 200U, 1000U, 2048U}) {
    Reassembler reassembler(limits);
    for (std::size_t at = 0; at < 2048; at += mtu) {
      EXPECT_EQ(add(reassembler, longest.cut({.offset = at, .length = std::min(mtu, 2048 - at)})),
                "kept")
          << mtu << " at " << at;
    }
    EXPECT_EQ(test::take(reassembler), longest.body()) << mtu;
  }
}

// The peer's retransmission, cut elsewhere, brings the last byte in a piece that is mostly old.
TEST(Reassembler, OldBytesInAPieceDontCountAgain) {
  const ReassemblyLimits limits{.max_message = 2048, .max_bytes = 2048};
  const Message longest(2048);
  Reassembler reassembler(limits);
  EXPECT_EQ(add(reassembler, longest.cut({.offset = 0, .length = 2047})), "kept");
  EXPECT_EQ(add(reassembler, longest.cut({.offset = 1000, .length = 1048})), "kept");
  EXPECT_EQ(test::take(reassembler), longest.body());
}

// Fragments in reverse order, each with its bookkeeping, reach the bound before the first byte
// comes.
TEST(Reassembler, PiecesBeyondAGapLeaveRoomForWhatFillsIt) {
  const ReassemblyLimits limits{.max_message = 2048, .max_bytes = 2048};
  const Message message(2000);
  Reassembler reassembler(limits);
  bool filled = false;
  for (std::size_t at = 1980; at > 0; at -= 20) {
    filled = add(reassembler, message.cut({.offset = at, .length = 20})) == "full";
  }
  EXPECT_TRUE(filled);
  // The peer repeats its flight.
  for (std::size_t at = 0; at < 2000; at += 20) {
    EXPECT_EQ(add(reassembler, message.cut({.offset = at, .length = 20})), "kept") << at;
  }
  EXPECT_EQ(test::take(reassembler), message.body());
}

// Whoever fills the bound with what comes later can't keep out what is due.
TEST(Reassembler, LaterMessagesLeaveRoomForTheOneThatIsDue) {
  const ReassemblyLimits limits{.max_message = 2048, .max_bytes = 4300};
  const Message message(2000);
  Reassembler reassembler(limits);
  EXPECT_EQ(add(reassembler, message.whole(2)), "kept");
  EXPECT_EQ(add(reassembler, message.whole(1)), "full");
  EXPECT_EQ(add(reassembler, message.whole(3)), "full");
  EXPECT_EQ(add(reassembler, message.whole(0)), "kept");
  EXPECT_EQ(test::take(reassembler), message.body());
  EXPECT_FALSE(reassembler.front());
  EXPECT_EQ(add(reassembler, message.whole(1)), "kept");
  EXPECT_EQ(test::take(reassembler), message.body());
  EXPECT_EQ(test::take(reassembler), message.body()) << "it did not give way";
}

// RFC 9147 section 7: what is kept is acknowledged, and then never comes again. So it is kept until
// its message is taken, whatever else comes.
TEST(Reassembler, WhatIsKeptNeedNotComeAgain) {
  constexpr std::uint64_t kSeed = 9147;
  constexpr std::size_t kMessages = 6;
  std::mt19937_64 random(kSeed);
  for (int round = 0; round < 300; ++round) {
    SCOPED_TRACE("seed " + std::to_string(kSeed) + ", round " + std::to_string(round));
    std::vector<Message> messages;
    for (std::size_t i = 0; i < kMessages; ++i) messages.emplace_back(1 + random() % 2048);
    Reassembler reassembler({.max_message = 2048, .max_bytes = 2048 + random() % 3000});
    std::vector<std::vector<bool>> missing;
    for (const Message& message : messages) missing.emplace_back(message.size(), true);
    const auto offer = [&](std::size_t seq, std::size_t offset, std::size_t length) {
      const Piece piece{static_cast<std::uint16_t>(seq), offset, length};
      const std::string outcome = add(reassembler, messages[seq].cut(piece));
      if (outcome == "kept") {
        std::fill_n(missing[seq].begin() + static_cast<std::ptrdiff_t>(offset), length, false);
      }
      return outcome;
    };
    for (int i = 0; i < 60; ++i) {
      const std::size_t seq = random() % kMessages;
      const std::size_t offset = random() % messages[seq].size();
      offer(seq, offset, 1 + random() % std::min<std::size_t>(600, messages[seq].size() - offset));
    }
    // Then only what was not kept comes, in order.
    for (std::size_t seq = 0; seq < kMessages; ++seq) {
      for (auto at = std::ranges::find(missing[seq], true); at != missing[seq].end();
           at = std::ranges::find(missing[seq], true)) {
        const auto end = std::find(at, missing[seq].end(), false);
        const auto offset = static_cast<std::size_t>(at - missing[seq].begin());
        const auto length = static_cast<std::size_t>(end - at);
        ASSERT_EQ(offer(seq, offset, length), "kept") << seq << " at " << offset;
      }
      ASSERT_EQ(test::take(reassembler), messages[seq].body()) << seq;
    }
    EXPECT_TRUE(reassembler.empty());
  }
}

}  // namespace
}  // namespace sluice::dtls::flight
