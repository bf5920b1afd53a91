// One check of a new path, by the rules of RFC 9853.
#include "connection/path_validation.h"

#include <gtest/gtest.h>
#include <sluice/dtls/connection.h>

#include <vector>

namespace sluice::dtls::connection {
namespace {

using message::PathCookie;
using message::PathMessage;
using message::PathMessageType;
using std::chrono::milliseconds;
using std::chrono::seconds;

using Outcome = PathValidation::Outcome;

constexpr PathId kOld{1};
constexpr PathId kNew{2};
constexpr PathId kForeign{3};
constexpr Instant kStart{seconds{100}};
constexpr Duration kInterval = milliseconds{80};
constexpr auto kChallenges = static_cast<int>(PathValidation::kChallenges);
constexpr std::size_t kSize = 40;

PathCookie cookie(int number) { return {static_cast<std::byte>(number)}; }
PathMessage response(int number) { return {PathMessageType::path_response, cookie(number)}; }
PathMessage drop(int number) { return {PathMessageType::path_drop, cookie(number)}; }

// With more bytes received than its challenges need.
PathValidation check(bool is_enhanced, std::size_t received = 1000) {
  PathValidation made({kOld, kNew}, is_enhanced, kInterval, kStart);
  made.count(received, 0);
  return made;
}

// Challenges with the cookies from `first` on are sent whenever they are due, until the path of
// the challenges changes or the check ends. Returns when each was sent.
std::vector<Instant> challenge_in_vain(PathValidation& of, int first, Outcome& outcome) {
  std::vector<Instant> sent;
  const PathId path = of.path_of_challenge();
  Instant now = of.next_timeout() - kInterval;
  outcome = Outcome::under_way;
  while (outcome == Outcome::under_way && of.path_of_challenge() == path && sent.size() < 100) {
    if (of.is_due(kSize)) {
      of.on_sent(cookie(first++), kSize);
      sent.push_back(now);
    }
    now = of.next_timeout();
    outcome = of.on_timeout(now);
  }
  return sent;
}

// ---- section 5.5: T

TEST(PathValidationTimer, IsThreeRoundTripsInBounds) {
  EXPECT_EQ(PathValidation::interval(milliseconds{200}), milliseconds{200});
  EXPECT_EQ(PathValidation::interval(milliseconds{1}), RetransmissionTimers::kMinimumInitial);
  EXPECT_EQ(PathValidation::interval(seconds{100}), RetransmissionTimers::kMaximumInitial);
  const Duration unknown = PathValidation::interval(std::nullopt);
  EXPECT_LE(unknown * kChallenges, seconds{1});
  EXPECT_GT(unknown * kChallenges, milliseconds{999});
}

TEST(PathValidationTimer, BeginsWithTheCheck) {
  for (const bool is_enhanced : {false, true}) {
    PathValidation of = check(is_enhanced);
    EXPECT_EQ(of.next_timeout(), kStart + kInterval);
    EXPECT_EQ(of.on_timeout(kStart + kInterval - milliseconds{1}), Outcome::under_way);
    EXPECT_EQ(of.next_timeout(), kStart + kInterval) << "an early call changes nothing";
  }
}

// "If T expires the peer address binding is not updated", after a challenge per round trip.
TEST(PathValidationTimer, EndsABasicCheck) {
  PathValidation of = check(false);
  Outcome outcome{};
  const auto sent = challenge_in_vain(of, 1, outcome);
  ASSERT_EQ(sent.size(), PathValidation::kChallenges);
  for (int i = 0; i < kChallenges; ++i) {
    EXPECT_EQ(sent[static_cast<std::size_t>(i)], kStart + i * kInterval);
  }
  EXPECT_EQ(outcome, Outcome::refused);
}

// Section 5.2: without an answer on the old path "the initiator MUST perform a return routability
// check on the observed new address", for which T begins anew.
TEST(PathValidationTimer, LeadsAnEnhancedCheckToTheNewPath) {
  PathValidation of = check(true);
  Outcome outcome{};
  EXPECT_EQ(challenge_in_vain(of, 1, outcome).size(), PathValidation::kChallenges);
  EXPECT_EQ(outcome, Outcome::under_way);
  EXPECT_EQ(of.path_of_challenge(), kNew);
  const auto sent = challenge_in_vain(of, 11, outcome);
  ASSERT_EQ(sent.size(), PathValidation::kChallenges);
  EXPECT_EQ(sent.front(), kStart + kChallenges * kInterval);
  EXPECT_EQ(sent.back(), kStart + (2 * kChallenges - 1) * kInterval);
  EXPECT_EQ(outcome, Outcome::refused);
}

// Challenges keep their distance also when the caller's timers are late: none are made up for.
TEST(PathValidationTimer, ALateTimerIsOneTimer) {
  PathValidation of = check(false);
  of.on_sent(cookie(1), kSize);
  const Instant late = kStart + 20 * kInterval;
  EXPECT_EQ(of.on_timeout(late), Outcome::under_way);
  EXPECT_TRUE(of.is_due(kSize));
  of.on_sent(cookie(2), kSize);
  EXPECT_EQ(of.on_timeout(late), Outcome::under_way);
  EXPECT_FALSE(of.is_due(kSize));
  EXPECT_EQ(of.next_timeout(), late + kInterval);
}

// ---- section 5.3: challenges

TEST(PathValidationChallenges, OneIsDueInEachInterval) {
  for (const bool is_enhanced : {false, true}) {
    PathValidation of = check(is_enhanced);
    EXPECT_TRUE(of.is_due(kSize)) << "the first at once";
    of.on_sent(cookie(1), kSize);
    EXPECT_FALSE(of.is_due(kSize));
    EXPECT_EQ(of.on_timeout(kStart + kInterval), Outcome::under_way);
    EXPECT_TRUE(of.is_due(kSize));
    of.skip();
    EXPECT_FALSE(of.is_due(kSize)) << "one that cannot be sent waits for the next interval";
    EXPECT_EQ(of.on_timeout(kStart + 2 * kInterval), Outcome::under_way);
    EXPECT_TRUE(of.is_due(kSize));
  }
}

TEST(PathValidationChallenges, GoToTheNewPathOrFirstToTheOld) {
  EXPECT_EQ(check(false).path_of_challenge(), kNew);
  EXPECT_EQ(check(true).path_of_challenge(), kOld);
  EXPECT_EQ(check(true).new_path(), kNew);
}

// ---- section 2: three times the bytes received

TEST(PathValidationBudget, IsThreeTimesTheBytesReceived) {
  PathValidation of({kOld, kNew}, false, kInterval, kStart);
  EXPECT_EQ(of.limit(), 0U);
  EXPECT_FALSE(of.is_due(1)) << "nothing for who has sent nothing";
  of.count(20, 0);
  EXPECT_EQ(of.limit(), 60U);
  EXPECT_TRUE(of.is_due(60));
  EXPECT_FALSE(of.is_due(61));
  of.on_sent(cookie(1), 60);
  EXPECT_EQ(of.limit(), 0U);
  EXPECT_EQ(of.on_timeout(kStart + kInterval), Outcome::under_way);
  EXPECT_FALSE(of.is_due(1));
  of.count(10, 0);
  EXPECT_TRUE(of.is_due(30)) << "the challenge waits for bytes";
  EXPECT_FALSE(of.is_due(31));
}

// What answers the challenges of the peer there is of the same budget.
TEST(PathValidationBudget, HoldsForAnswersToo) {
  PathValidation of({kOld, kNew}, false, kInterval, kStart);
  of.count(20, 50);
  EXPECT_EQ(of.limit(), 10U);
  of.count(0, 30);
  EXPECT_EQ(of.limit(), 0U) << "more than was allowed does not wrap around";
  of.count(10, 0);
  EXPECT_EQ(of.limit(), 10U);
}

// The old path is validated: nothing bounds what goes there, and it takes nothing of the budget.
TEST(PathValidationBudget, IsOfTheNewPathAlone) {
  PathValidation of({kOld, kNew}, true, kInterval, kStart);
  EXPECT_TRUE(of.is_due(kMaxDatagram));
  of.on_sent(cookie(1), 1000);
  of.count(20, 0);
  ASSERT_EQ(of.on_answer(drop(1), kOld, kStart), Outcome::under_way);
  EXPECT_EQ(of.path_of_challenge(), kNew);
  EXPECT_EQ(of.limit(), 60U);
}

// ---- answers

TEST(PathValidationAnswers, AResponseOnTheNewPathValidatesIt) {
  PathValidation of = check(false);
  of.on_sent(cookie(1), kSize);
  EXPECT_EQ(of.on_answer(response(1), kNew, kStart), Outcome::validated);
}

TEST(PathValidationAnswers, ADropOnTheNewPathRefusesIt) {
  PathValidation of = check(false);
  of.on_sent(cookie(1), kSize);
  EXPECT_EQ(of.on_answer(drop(1), kNew, kStart), Outcome::refused);
}

// Section 5.2, cases 2 and 3: "the initiator MUST continue using the previously valid address"
// after path_response, and MUST check the new one after path_drop.
TEST(PathValidationAnswers, OnTheOldPathTheySayWhetherThePeerIsThere) {
  PathValidation of = check(true);
  of.on_sent(cookie(1), kSize);
  EXPECT_EQ(of.on_answer(response(1), kOld, kStart), Outcome::refused);

  PathValidation left = check(true);
  left.on_sent(cookie(1), kSize);
  const Instant now = kStart + milliseconds{30};
  EXPECT_EQ(left.on_answer(drop(1), kOld, now), Outcome::under_way);
  EXPECT_EQ(left.path_of_challenge(), kNew);
  EXPECT_TRUE(left.is_due(kSize)) << "at once";
  EXPECT_EQ(left.next_timeout(), now + kInterval) << "T begins anew";
  left.on_sent(cookie(2), kSize);
  EXPECT_EQ(left.on_answer(response(2), kNew, now), Outcome::validated);
}

// "MUST silently discard any invalid path_response or path_drop" (section 5.4).
TEST(PathValidationAnswers, OthersAreDiscarded) {
  for (const bool is_enhanced : {false, true}) {
    PathValidation of = check(is_enhanced);
    const PathId asked = of.path_of_challenge();
    EXPECT_EQ(of.on_answer(response(0), asked, kStart), std::nullopt)
        << "nothing was asked, not even with a cookie of zeros";
    of.on_sent(cookie(1), kSize);
    PathMessage near = response(1);
    near.cookie.back() ^= std::byte{1};
    for (const PathMessage& wrong : {response(2), drop(2), near}) {
      EXPECT_EQ(of.on_answer(wrong, asked, kStart), std::nullopt);
    }
    for (const PathId path : {kOld, kNew, kForeign}) {
      if (path == asked) continue;
      EXPECT_EQ(of.on_answer(response(1), path, kStart), std::nullopt);
      EXPECT_EQ(of.on_answer(drop(1), path, kStart), std::nullopt);
    }
    EXPECT_EQ(of.path_of_challenge(), asked);
    EXPECT_EQ(of.next_timeout(), kStart + kInterval) << "they change nothing";
    EXPECT_NE(of.on_answer(response(1), asked, kStart), std::nullopt);
  }
}

// The answer to any challenge of this path counts until T has passed.
TEST(PathValidationAnswers, TheOneToAnEarlierChallengeCounts) {
  for (int answered = 1; answered <= kChallenges; ++answered) {
    PathValidation of = check(false);
    for (int i = 1; i <= kChallenges; ++i) {
      of.on_sent(cookie(i), kSize);
      if (i < kChallenges) {
        EXPECT_EQ(of.on_timeout(kStart + i * kInterval), Outcome::under_way);
      }
    }
    const Instant last = kStart + kChallenges * kInterval - milliseconds{1};
    EXPECT_EQ(of.on_timeout(last), Outcome::under_way);
    EXPECT_EQ(of.on_answer(response(answered), kNew, last), Outcome::validated) << answered;
  }
}

// An answer from the old path that comes after its time neither ends the check of the new path nor
// passes for an answer from there.
TEST(PathValidationAnswers, OfTheOldPathComeTooLate) {
  PathValidation of = check(true);
  Outcome outcome{};
  challenge_in_vain(of, 1, outcome);
  ASSERT_EQ(of.path_of_challenge(), kNew);
  const Instant now = kStart + kChallenges * kInterval;
  of.on_sent(cookie(11), kSize);
  for (int number = 1; number <= kChallenges; ++number) {
    for (const PathId path : {kOld, kNew}) {
      EXPECT_EQ(of.on_answer(response(number), path, now), std::nullopt);
      EXPECT_EQ(of.on_answer(drop(number), path, now), std::nullopt);
    }
  }
  EXPECT_EQ(of.on_answer(response(11), kNew, now), Outcome::validated);
}

}  // namespace
}  // namespace sluice::dtls::connection
