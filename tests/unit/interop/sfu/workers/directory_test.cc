#include "sfu/workers/directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "sfu/restart/moved_media.h"

namespace sluice::interop::sfu {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Optional;

Visit visit(const std::string& id, bool publishes, const std::string& room = "room",
            const std::string& address = "192.0.2.1") {
  return {.id = id, .room = room, .address = address, .publishes = publishes};
}

std::optional<Refusal> refusal(const tl::expected<Admission, Refused>& admission) {
  return admission ? std::nullopt : std::optional(admission.error().why);
}

TEST(Directory, LimitsAreThoseOfAllWorkersTogether) {
  Directory directory({.max_rooms = 1,
                       .max_publishers = 1,
                       .max_viewers = 2,
                       .max_sessions = 4,
                       .max_sessions_per_address = 3},
                      3);
  EXPECT_EQ(refusal(directory.admit(0, visit("v", false))), Refusal::no_publisher);
  auto publisher = directory.admit(0, visit("p", true));
  ASSERT_TRUE(publisher);
  EXPECT_TRUE(publisher->made_room());
  EXPECT_EQ(refusal(directory.admit(1, visit("q", true))), Refusal::too_many_publishers);
  EXPECT_EQ(refusal(directory.admit(2, visit("q", true, "other"))), Refusal::too_many_rooms);
  auto first = directory.admit(1, visit("v", false));
  auto second = directory.admit(2, visit("w", false));
  ASSERT_TRUE(first && second);
  EXPECT_FALSE(first->made_room());
  EXPECT_EQ(refusal(directory.admit(0, visit("x", false))), Refusal::too_many_of_address);
  const Visit elsewhere = visit("x", false, "room", "192.0.2.2");
  EXPECT_EQ(refusal(directory.admit(0, elsewhere)), Refusal::too_many_viewers);
  {
    const Admission leaves = *std::move(first);
  }
  auto third = directory.admit(0, elsewhere);
  ASSERT_TRUE(third);
  // Whatever the limits are, sessions of the process before go on.
  const Admission fourth = directory.readmit(0, visit("y", true, "other", "192.0.2.3"));
  EXPECT_EQ(refusal(directory.admit(0, visit("z", false))), Refusal::too_many_sessions);
}

TEST(Directory, KnowsTheWorkersOfSessionsAndUfrags) {
  Directory directory({}, 2);
  {
    auto session = directory.admit(1, visit("id", true));
    ASSERT_TRUE(session);
    EXPECT_THAT(directory.worker_of_session("id"), Optional(1));
    session->add_ufrag("first");
    session->add_ufrag("second");
    EXPECT_THAT(directory.worker_of_ufrag("first"), Optional(1));
    EXPECT_THAT(directory.worker_of_ufrag("second"), Optional(1));
    // The session goes on with the last two.
    session->add_ufrag("third");
    EXPECT_EQ(directory.worker_of_ufrag("first"), std::nullopt);
    EXPECT_THAT(directory.worker_of_ufrag("second"), Optional(1));
    // The same one again displaces none.
    session->add_ufrag("third");
    EXPECT_THAT(directory.worker_of_ufrag("second"), Optional(1));
    EXPECT_THAT(directory.worker_of_ufrag("third"), Optional(1));
  }
  EXPECT_EQ(directory.worker_of_session("id"), std::nullopt);
  EXPECT_EQ(directory.worker_of_ufrag("second"), std::nullopt);
  EXPECT_EQ(directory.worker_of_ufrag("third"), std::nullopt);
}

TEST(Directory, ARoomLivesAsLongAsAWorkerHasIt) {
  Directory directory({.max_rooms = 1}, 2);
  {
    auto publisher = directory.admit(0, visit("p", true));
    ASSERT_TRUE(publisher);
    directory.hold_room("room", 0);
  }
  EXPECT_EQ(refusal(directory.admit(0, visit("q", true, "other"))), Refusal::too_many_rooms);
  directory.release_room("room", 0);
  EXPECT_TRUE(directory.admit(0, visit("q", true, "other")));
}

// Who counts among the viewers may wait for an answer still, or be a node for one stream.
TEST(Directory, AWorkerWatchesWithItsFirstSessionThatDoes) {
  Directory directory({}, 2);
  auto publisher = directory.admit(0, visit("p", true));
  auto viewer = directory.admit(1, visit("v", false));
  ASSERT_TRUE(publisher && viewer);
  EXPECT_FALSE(directory.has_changes(0));
  EXPECT_THAT(directory.view_of("room").watching, IsEmpty());
  viewer->watch();
  viewer->watch();
  EXPECT_TRUE(directory.has_changes(0));
  EXPECT_THAT(directory.take_changes(0), ElementsAre("room"));
  EXPECT_THAT(directory.view_of("room").watching, ElementsAre(1));
  {
    const Admission leaves = *std::move(viewer);
  }
  EXPECT_THAT(directory.take_changes(0), ElementsAre("room"));
  EXPECT_THAT(directory.view_of("room").watching, IsEmpty());
}

TEST(Directory, KnowsTheWorkersOfStreams) {
  Directory directory({}, 2);
  const auto publisher = directory.admit(1, visit("p", true));
  const auto state = std::make_shared<const MovedPublisher>(MovedPublisher{.stream_id = "stream"});
  const auto number = directory.publish("room", 1, state);
  EXPECT_THAT(directory.worker_of_stream("room", "stream"), Optional(1));
  EXPECT_EQ(directory.worker_of_stream("room", "other"), std::nullopt);
  EXPECT_EQ(directory.worker_of_stream("other", "stream"), std::nullopt);
  directory.withdraw("room", number);
  EXPECT_EQ(directory.worker_of_stream("room", "stream"), std::nullopt);
}

// Small rooms stay on one worker, large ones are spread.
TEST(Directory, SpreadsSessionsAndKeepsSmallRoomsTogether) {
  Directory directory({}, 3);
  std::vector<Admission> sessions;
  std::vector<std::size_t> counts(3);
  const auto add = [&](const std::string& room) {
    const std::size_t worker = directory.place_for(room);
    sessions.push_back(
        directory.readmit(worker, visit(std::to_string(sessions.size()), true, room)));
    // As their mirrors do.
    for (std::size_t each = 0; each < counts.size(); ++each) directory.hold_room(room, each);
    ++counts.at(worker);
    return worker;
  };
  const std::size_t first = add("a");
  for (int i = 0; i < 5; ++i) EXPECT_EQ(add("a"), first);
  const std::size_t second = add("b");
  EXPECT_NE(second, first);
  EXPECT_EQ(add("b"), second);
  for (int i = 0; i < 300; ++i) add("a");
  EXPECT_LE(std::ranges::max(counts) - std::ranges::min(counts), 8U);
}

}  // namespace
}  // namespace sluice::interop::sfu
