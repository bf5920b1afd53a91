// The sealed file in which sessions are while the server is restarted.
#include "common/state/state_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <string_view>

#include "common/private_file.h"
#include "common/state/stored_numbers.h"
#include "support/temporary_folder.h"

namespace sluice::interop {
namespace {

using dtls::Buffer;

constexpr const char* kContent = "sluice-demo: calls";

class StateFileTest : public testing::Test {
 public:
  [[nodiscard]] std::string file(const std::string& name) const {
    return (folder.path() / name).string();
  }
  [[nodiscard]] StateFileOptions options() const {
    return {.file = file("calls"), .key_file = file("key"), .content = kContent};
  }
  [[nodiscard]] std::unique_ptr<StateFile> open() const {
    auto opened = StateFile::open(options(), stop);
    EXPECT_TRUE(opened) << opened.error();
    return opened ? *std::move(opened) : nullptr;
  }

  test::TemporaryFolder folder;
  common::StopSignals stop;
  Buffer calls = Buffer(1000, std::byte{7});
};

TEST_F(StateFileTest, GivesWhatWasPutOnce) {
  {
    const auto state = open();
    ASSERT_TRUE(state->take());
    EXPECT_EQ(*state->take(), std::nullopt);
    ASSERT_TRUE(state->put(calls));
  }
  for (const char* name : {"calls", "key"}) {
    struct stat status{};
    ASSERT_EQ(stat(file(name).c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600U) << name;
  }
  const auto state = open();
  const auto taken = state->take();
  ASSERT_TRUE(taken && *taken);
  EXPECT_TRUE(std::ranges::equal((*taken)->bytes(), calls));
  EXPECT_FALSE(std::filesystem::exists(file("calls")));
  EXPECT_EQ(*state->take(), std::nullopt);
}

TEST_F(StateFileTest, IsRefusedWhenAltered) {
  ASSERT_TRUE(open()->put(calls));
  {
    std::fstream altered(file("calls"), std::ios::in | std::ios::out | std::ios::binary);
    altered.seekp(100);
    altered.put('x');
  }
  const auto taken = open()->take();
  ASSERT_FALSE(taken);
  EXPECT_NE(taken.error().find("calls: "), std::string::npos) << taken.error();
  EXPECT_TRUE(std::filesystem::exists(file("calls"))) << "for who wants to look";
}

// A file system may have brought back what was taken.
TEST_F(StateFileTest, IsOfOneStartOfTheMachine) {
  const auto state = open();
  const auto key = common::read_private_file(file("key"), 1000);
  ASSERT_TRUE(key && *key);
  const auto contents = (*key)->bytes();
  const auto secret = contents.last(dtls::StateKeys::kKeySize);
  dtls::StateKeys keys;
  const auto id = load_u32(contents, contents.size() - secret.size() - 4);
  ASSERT_TRUE(keys.add(dtls::StateKeyId{id}, secret));
  auto environment = dtls::Environment::make();
  ASSERT_TRUE(environment);
  const std::string_view context = kContent;
  for (const std::size_t size : {0U, 10U, 1000U}) {
    const Buffer other(size, std::byte{'0'});
    const auto sealed = keys.seal(*environment, other, std::as_bytes(std::span(context)));
    ASSERT_TRUE(sealed && common::replace_private_file(file("calls"), *sealed));
    const auto taken = state->take();
    ASSERT_TRUE(taken) << taken.error();
    EXPECT_EQ(*taken, std::nullopt);
    EXPECT_FALSE(std::filesystem::exists(file("calls")));
  }
}

TEST_F(StateFileTest, IsRefusedWhereItIsOfAnotherProgram) {
  ASSERT_TRUE(open()->put(calls));
  auto other = options();
  other.content = "sluice-sfu: sessions";
  const auto state = StateFile::open(other, stop);
  ASSERT_TRUE(state && *state);
  EXPECT_FALSE((*state)->take());
}

TEST_F(StateFileTest, NeedsTheKeyThatHasSealedIt) {
  ASSERT_TRUE(open()->put(calls));
  std::filesystem::remove(file("key"));
  EXPECT_FALSE(open()->take());
}

TEST_F(StateFileTest, RefusesAKeyFileThatOthersMayReadOrThatIsNone) {
  ASSERT_NE(open(), nullptr);
  ASSERT_EQ(chmod(file("key").c_str(), 0644), 0);
  EXPECT_FALSE(StateFile::open(options(), stop));
  ASSERT_EQ(chmod(file("key").c_str(), 0600), 0);
  std::ofstream(file("key"), std::ios::trunc) << "something else";
  EXPECT_FALSE(StateFile::open(options(), stop));
}

TEST_F(StateFileTest, IsForOneProcessAtATime) {
  auto first = open();
  // Who waits for it still ends on a signal.
  ASSERT_EQ(raise(SIGTERM), 0);
  auto waiting = options();
  int waits = 0;
  waiting.on_wait = [&waits] { ++waits; };
  const auto second = StateFile::open(waiting, stop);
  ASSERT_TRUE(second) << second.error();
  EXPECT_EQ(*second, nullptr);
  EXPECT_EQ(waits, 1);
  first.reset();
  EXPECT_NE(open(), nullptr);
  // It stays blocked after the object's end.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  int taken = 0;
  EXPECT_EQ(sigwait(&signals, &taken), 0);
}

}  // namespace
}  // namespace sluice::interop
