#include "tools/waiting_answers.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

namespace sluice::interop::tools {
namespace {

using testing::ElementsAre;

constexpr dtls::ConnectionHandle kOne{1};
constexpr dtls::ConnectionHandle kOther{2};

dtls::Bytes bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }
std::string text_of(dtls::Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

class WaitingAnswersTest : public testing::Test {
 protected:
  // What is sent until `limit` answers are.
  std::vector<std::string> send(std::size_t limit = SIZE_MAX) {
    std::vector<std::string> sent;
    waiting_.send([&](dtls::ConnectionHandle, dtls::Bytes answer) {
      if (sent.size() >= limit) return false;
      sent.push_back(text_of(answer));
      return true;
    });
    return sent;
  }

  WaitingAnswers waiting_;
};

TEST_F(WaitingAnswersTest, AreSentInTheirOrder) {
  for (const auto* text : {"a", "b", "c"}) waiting_.add(kOne, bytes_of(text));
  EXPECT_TRUE(waiting_.has(kOne));
  EXPECT_FALSE(waiting_.has(kOther));
  EXPECT_THAT(send(2), ElementsAre("a", "b"));
  EXPECT_TRUE(waiting_.has(kOne));
  waiting_.add(kOne, bytes_of("d"));
  EXPECT_THAT(send(), ElementsAre("c", "d"));
  EXPECT_FALSE(waiting_.has(kOne));
  EXPECT_TRUE(send().empty());
}

TEST_F(WaitingAnswersTest, OneThatMayNotSendDoesNotStopAnother) {
  waiting_.add(kOne, bytes_of("a"));
  waiting_.add(kOther, bytes_of("b"));
  std::vector<std::string> sent;
  waiting_.send([&](dtls::ConnectionHandle connection, dtls::Bytes answer) {
    if (connection == kOne) return false;
    sent.push_back(text_of(answer));
    return true;
  });
  EXPECT_THAT(sent, ElementsAre("b"));
  EXPECT_THAT(send(), ElementsAre("a"));
}

TEST_F(WaitingAnswersTest, OneConnectionHasABound) {
  const dtls::Buffer large(WaitingAnswers::kMaxOfOne / 4);
  for (int i = 0; i < 10; ++i) waiting_.add(kOne, large);
  EXPECT_EQ(waiting_.dropped(), 7U);
  waiting_.add(kOther, bytes_of("b"));
  EXPECT_EQ(send().size(), 4U);
  waiting_.add(kOne, large);
  EXPECT_EQ(send().size(), 1U) << "there is room again";
  EXPECT_EQ(waiting_.dropped(), 7U);
}

TEST_F(WaitingAnswersTest, AllTogetherHaveABound) {
  const dtls::Buffer large(WaitingAnswers::kMaxOfOne / 2);
  std::uint64_t added = 0;
  for (; waiting_.dropped() == 0; ++added) waiting_.add(dtls::ConnectionHandle{added}, large);
  EXPECT_GT(added, 500U);
  EXPECT_LT(added, 513U);
  waiting_.forget(kOne);
  const auto before = waiting_.dropped();
  waiting_.add(dtls::ConnectionHandle{added}, large);
  EXPECT_EQ(waiting_.dropped(), before) << "what ended has left its room";
}

TEST_F(WaitingAnswersTest, ThoseOfAnEndedConnectionAreDropped) {
  waiting_.add(kOne, bytes_of("a"));
  waiting_.add(kOne, {});
  waiting_.forget(kOne);
  waiting_.forget(kOther);
  EXPECT_FALSE(waiting_.has(kOne));
  EXPECT_EQ(waiting_.dropped(), 2U);
  EXPECT_TRUE(send().empty());
}

}  // namespace
}  // namespace sluice::interop::tools
