// States that are sealed to be stored elsewhere.
#include <sluice/dtls/state_keys.h>

#include <gtest/gtest.h>

#include <set>

#include "support/bytes.h"
#include "support/endpoints.h"

namespace sluice::dtls {
namespace {

using test::bytes_of;
using test::counted;
using test::must;

constexpr StateKeyId kFirst{0x01020304};
constexpr StateKeyId kSecond{2};

Buffer key_of(int byte) { return Buffer(StateKeys::kKeySize, static_cast<std::byte>(byte)); }

class SealedStates : public testing::Test {
 protected:
  SealedStates() { must(keys_.add(kFirst, key_of(1))); }

  Buffer seal(Bytes state, std::string_view context = "session 7") {
    return must(keys_.seal(test::environment(), state, bytes_of(context)));
  }
  Result<SecretBytes> open(Bytes sealed, std::string_view context = "session 7") {
    return keys_.open(test::environment(), sealed, bytes_of(context));
  }
  bool opens(Bytes sealed, Bytes state) {
    const auto opened = open(sealed);
    return opened && std::ranges::equal(opened->bytes(), state);
  }

  StateKeys keys_;
};

TEST_F(SealedStates, OpenAgain) {
  for (const std::size_t size : {0U, 1U, 250U, 100'000U}) {
    const Buffer state = counted(size);
    const Buffer sealed = seal(state);
    EXPECT_EQ(sealed.size(), size + StateKeys::kOverhead);
    EXPECT_TRUE(opens(sealed, state));
  }
}

// The id is in front, after the format.
TEST_F(SealedStates, AKeyForOpeningSealsWhenItIsChosen) {
  const auto id_of_sealer = [this] { return seal(counted(1))[4]; };
  must(keys_.add_for_opening(kSecond, key_of(2)));
  EXPECT_EQ(id_of_sealer(), std::byte{4});
  StateKeys other;
  must(other.add(kSecond, key_of(2)));
  const Buffer of_other = must(other.seal(test::environment(), counted(10), bytes_of("session 7")));
  EXPECT_TRUE(opens(of_other, counted(10)));

  EXPECT_TRUE(keys_.seal_with(kSecond));
  EXPECT_EQ(id_of_sealer(), std::byte{2});
  EXPECT_TRUE(keys_.seal_with(kFirst));
  EXPECT_EQ(id_of_sealer(), std::byte{4});
  EXPECT_TRUE(keys_.remove(kFirst));
  EXPECT_EQ(id_of_sealer(), std::byte{2}) << "the one before it";
  EXPECT_FALSE(keys_.seal_with(kFirst));
}

TEST(StateKeysForOpening, SealNothing) {
  StateKeys keys;
  must(keys.add_for_opening(kFirst, key_of(1)));
  const auto sealed = keys.seal(test::environment(), counted(1), {});
  ASSERT_FALSE(sealed);
  EXPECT_EQ(sealed.error().code, Errc::invalid_argument);
  EXPECT_FALSE(keys.add_for_opening(kFirst, key_of(2))) << "in use";
  EXPECT_FALSE(keys.add_for_opening(kSecond, Buffer(31))) << "size";
}

TEST_F(SealedStates, NoNonceComesTwice) {
  std::set<Buffer> sealed;
  for (int i = 0; i < 100; ++i) sealed.insert(seal(counted(10)));
  EXPECT_EQ(sealed.size(), 100U);
}

TEST_F(SealedStates, ChangedOrTruncatedOnesDoNotOpen) {
  const Buffer sealed = seal(counted(20));
  for (std::size_t bit = 0; bit < 8 * sealed.size(); ++bit) {
    Buffer changed = sealed;
    changed[bit / 8] ^= std::byte{1} << bit % 8;
    const auto opened = open(changed);
    ASSERT_FALSE(opened) << bit;
    const Errc code = bit < 8        ? Errc::decode_error
                      : bit < 5 * 8U ? Errc::unknown_state_key
                                     : Errc::state_not_authentic;
    EXPECT_EQ(opened.error().code, code) << bit;
  }
  for (std::size_t size = 0; size < sealed.size(); ++size) {
    EXPECT_FALSE(open(Bytes(sealed).first(size))) << size;
  }
}

TEST_F(SealedStates, OpenInTheirContextOnly) {
  const Buffer sealed = seal(counted(20), "session 7, version 3");
  const auto other = open(sealed, "session 7, version 4");
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, Errc::state_not_authentic);
  EXPECT_TRUE(open(sealed, "session 7, version 3"));
}

TEST_F(SealedStates, KeysRotate) {
  const Buffer old = seal(counted(20));
  must(keys_.add(kSecond, key_of(2)));
  const Buffer fresh = seal(counted(20));
  EXPECT_TRUE(opens(old, counted(20)));
  EXPECT_TRUE(opens(fresh, counted(20)));
  EXPECT_TRUE(keys_.remove(kFirst));
  EXPECT_FALSE(keys_.remove(kFirst));
  EXPECT_EQ(open(old).error().code, Errc::unknown_state_key);
  EXPECT_TRUE(opens(fresh, counted(20)));
  EXPECT_TRUE(keys_.remove(kSecond));
  const auto none = keys_.seal(test::environment(), {}, {});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, Errc::invalid_argument);
}

TEST_F(SealedStates, AKeyOfAnotherProcessOpensThem) {
  StateKeys elsewhere;
  must(elsewhere.add(kFirst, key_of(1)));
  EXPECT_TRUE(elsewhere.open(test::environment(), seal(counted(20)), bytes_of("session 7")));
  StateKeys wrong;
  must(wrong.add(kFirst, key_of(3)));
  EXPECT_EQ(wrong.open(test::environment(), seal({}), bytes_of("session 7")).error().code,
            Errc::state_not_authentic);
}

TEST_F(SealedStates, BadKeysAreRefused) {
  EXPECT_EQ(keys_.add(kFirst, key_of(2)).error().code, Errc::invalid_argument) << "its id is used";
  EXPECT_EQ(keys_.add(kSecond, Buffer(31)).error().code, Errc::invalid_argument);
  EXPECT_EQ(keys_.add(kSecond, Buffer(33)).error().code, Errc::invalid_argument);
}

}  // namespace
}  // namespace sluice::dtls
