#include <sluice/dtls/psk_table.h>

#include "unit/dtls/crypto/crypto_test.h"

namespace sluice::dtls {
namespace {

using test::bytes_of;
using test::copy_of;
using test::must;

PreSharedKey psk(std::string_view identity, std::string_view key) {
  return must(PreSharedKey::make(bytes_of(identity), bytes_of(key)));
}

TEST(PskTableOfAServer, AnswersWithTheFirstThatItKnows) {
  PskTable table;
  table.add(psk("b", "old"));
  table.add(psk("b", "new"));
  table.add(psk("c", "third"));
  EXPECT_EQ(table.size(), 2U);
  const auto asked = [](std::initializer_list<std::string_view> identities) {
    PskRequested question;
    for (const auto identity : identities) {
      question.identities.push_back(copy_of(bytes_of(identity)));
    }
    return question;
  };
  const auto answer = table.answer(asked({"a", "b", "c"}));
  const auto* use = std::get_if<UsePsk>(&answer);
  ASSERT_NE(use, nullptr);
  EXPECT_EQ(use->index, 1U);
  EXPECT_EQ(copy_of(use->key.key()), copy_of(bytes_of("new")));
  EXPECT_TRUE(std::holds_alternative<NoPsk>(table.answer(asked({"a"}))));
  EXPECT_TRUE(table.remove(bytes_of("b")));
  EXPECT_FALSE(table.remove(bytes_of("b")));
  EXPECT_FALSE(table.find(bytes_of("b")));
}

}  // namespace
}  // namespace sluice::dtls
