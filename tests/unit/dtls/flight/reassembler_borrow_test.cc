// Messages that a Reassembler takes without a copy.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "flight/reassembler.h"
#include "unit/dtls/flight/fragments.h"

namespace sluice::dtls::flight {
namespace {

using test::Message;
using wire::kFirstEncryptedEpoch12;
using wire::kPlaintextEpoch;

constexpr ReassemblyLimits kRoomyLimits{.max_message = 65536, .max_bytes = 131072};

// A record's fragments, in memory that is gone afterwards.
class LentRecord {
 public:
  explicit LentRecord(const std::vector<message::HandshakeFragment>& fragments) {
    for (const auto& [header, body, encoding] : fragments) {
      const std::size_t start = bytes_.size();
      bytes_.resize(start + message::kHandshakeHeaderSize);
      header.encode(MutableBytes(bytes_).subspan(start));
      bytes_.insert(bytes_.end(), body.begin(), body.end());
    }
  }
  // What came of each fragment, in words.
  std::vector<std::string> lend_to(Reassembler& reassembler, wire::Epoch epoch = kPlaintextEpoch) {
    std::vector<std::string> outcomes;
    wire::Reader reader(bytes_);
    while (reader.more()) {
      const auto fragment = message::HandshakeFragment::take(reader);
      if (!fragment) return {"malformed"};
      outcomes.push_back(test::words_for(reassembler.borrow(*fragment, epoch)));
    }
    return outcomes;
  }
  [[nodiscard]] bool holds(Bytes part) const {
    return std::less_equal<>()(bytes_.data(), part.data()) &&
           std::less<>()(part.data(), bytes_.data() + bytes_.size());
  }
  void overwrite() { std::ranges::fill(bytes_, std::byte{0xee}); }

 private:
  Buffer bytes_;
};

using Words = std::vector<std::string>;

TEST(ReassemblerBorrow, BorrowsTheNextMessageIfItIsWhole) {
  const Message message(20);
  Reassembler reassembler(kRoomyLimits);
  for (std::uint16_t seq = 0; seq < 3; ++seq) {
    LentRecord record({message.whole(seq)});
    EXPECT_EQ(record.lend_to(reassembler, kFirstEncryptedEpoch12), Words{"kept"});
    EXPECT_FALSE(reassembler.empty());
    EXPECT_FALSE(reassembler.has_gap());
    EXPECT_TRUE(reassembler.holds(kFirstEncryptedEpoch12));
    EXPECT_FALSE(reassembler.holds(kPlaintextEpoch));
    const auto due = reassembler.front();
    ASSERT_TRUE(due);
    EXPECT_EQ(due->type, wire::HandshakeType::certificate);
    EXPECT_EQ(due->message_seq, wire::MessageSeq{seq});
    EXPECT_EQ(due->epoch, kFirstEncryptedEpoch12);
    EXPECT_TRUE(record.holds(due->encoding)) << "no copy";
    EXPECT_EQ(due->encoding.size(), message::kHandshakeHeaderSize + message.size());
    EXPECT_EQ(test::take(reassembler), message.body());
    EXPECT_TRUE(reassembler.empty());
    EXPECT_FALSE(reassembler.front());
    EXPECT_EQ(record.lend_to(reassembler), Words{"stale"});
  }
}

TEST(ReassemblerBorrow, KeepsWhatWasBorrowedAndNotTaken) {
  const Message message(20);
  Reassembler reassembler(kRoomyLimits);
  LentRecord record({message.whole()});
  record.lend_to(reassembler);
  reassembler.keep();
  record.overwrite();
  EXPECT_EQ(reassembler.front()->message_seq, wire::MessageSeq{0});
  reassembler.keep();
  EXPECT_EQ(test::take(reassembler), message.body());
  EXPECT_TRUE(reassembler.empty());
}

TEST(ReassemblerBorrow, KeepsTheMessagesOfOneRecord) {
  const Message first(20);
  const Message second(30);
  for (const bool by_add : {false, true}) {
    Reassembler reassembler(kRoomyLimits);
    LentRecord record({first.whole(0), second.cut({.seq = 1, .offset = 0, .length = 10})});
    LentRecord rest({second.cut({.seq = 1, .offset = 10, .length = 20})});
    EXPECT_EQ(record.lend_to(reassembler), (Words{"kept", "kept"}));
    record.overwrite();
    if (by_add) {
      const auto piece = second.cut({.seq = 1, .offset = 10, .length = 20});
      EXPECT_EQ(test::words_for(reassembler.add(piece, kPlaintextEpoch)), "kept");
    } else {
      EXPECT_EQ(rest.lend_to(reassembler), Words{"kept"});
      rest.overwrite();
    }
    EXPECT_EQ(test::take(reassembler), first.body());
    EXPECT_EQ(test::take(reassembler), second.body());
  }
}

// What is no whole next message is treated as by add().
TEST(ReassemblerBorrow, BorrowsNothingElse) {
  const ReassemblyLimits limits{.max_message = 2048, .max_bytes = 4096};
  const Message message(20);
  Reassembler reassembler(limits);
  LentRecord half({message.cut({.seq = 0, .offset = 0, .length = 10})});
  LentRecord later({message.whole(1)});
  LentRecord contradiction({Message(21).whole()});
  EXPECT_EQ(LentRecord({Message(2049).whole()}).lend_to(reassembler), Words{"full"});
  EXPECT_EQ(later.lend_to(reassembler), Words{"kept"});
  EXPECT_EQ(half.lend_to(reassembler), Words{"kept"});
  EXPECT_EQ(contradiction.lend_to(reassembler), Words{"replaced"});
  for (LentRecord* record : {&half, &later, &contradiction}) record->overwrite();
  EXPECT_EQ(test::take(reassembler), Message(21).body());
  EXPECT_EQ(test::take(reassembler), message.body());
}

TEST(ReassemblerBorrow, ForgetsABorrowedMessageOfItsEpoch) {
  const Message message(20);
  Reassembler reassembler(kRoomyLimits);
  LentRecord record({message.whole()});
  record.lend_to(reassembler);
  reassembler.forget(kFirstEncryptedEpoch12);
  EXPECT_TRUE(reassembler.front());
  reassembler.forget(kPlaintextEpoch);
  EXPECT_FALSE(reassembler.front());
  EXPECT_TRUE(reassembler.empty());
  EXPECT_EQ(record.lend_to(reassembler), Words{"kept"}) << "it may come again";
  EXPECT_EQ(test::take(reassembler), message.body());
}

}  // namespace
}  // namespace sluice::dtls::flight
