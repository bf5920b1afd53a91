#include "common/private_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>

#include "support/bytes.h"
#include "support/temporary_folder.h"

namespace sluice::interop::common {
namespace {

class PrivateFile : public testing::Test {
 public:
  [[nodiscard]] std::string file() const { return (folder.path() / "secret").string(); }
  void expect_contents(dtls::Bytes expected) const {
    const auto read = read_private_file(file(), 1000);
    ASSERT_TRUE(read && *read);
    EXPECT_TRUE(std::ranges::equal((*read)->bytes(), expected));
  }

  test::TemporaryFolder folder;
  dtls::Buffer first = test::from_hex("01 02 03");
  dtls::Buffer second = dtls::Buffer(1000, std::byte{9});
};

TEST_F(PrivateFile, IsMadeOnce) {
  EXPECT_EQ(*read_private_file(file(), 1000), std::nullopt);
  EXPECT_EQ(make_private_file(file(), first), true);
  EXPECT_EQ(make_private_file(file(), second), false);
  expect_contents(first);
}

TEST_F(PrivateFile, IsReplacedAsAWhole) {
  ASSERT_TRUE(replace_private_file(file(), first));
  ASSERT_TRUE(replace_private_file(file(), second, Durability::process));
  expect_contents(second);
  struct stat status{};
  ASSERT_EQ(stat(file().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
  const std::filesystem::directory_iterator files(folder.path());
  EXPECT_EQ(std::distance(begin(files), end(files)), 1) << "no draft is left";
  EXPECT_FALSE(read_private_file(file(), 999)) << "above the limit";
}

TEST_F(PrivateFile, IsRefusedWhereOthersHaveAccess) {
  ASSERT_TRUE(replace_private_file(file(), first));
  ASSERT_EQ(chmod(file().c_str(), 0604), 0);
  const auto read = read_private_file(file(), 1000);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error(), file() + ": others have access to it; set its mode to 0600");
}

TEST_F(PrivateFile, TellsWhichFileCannotBeWritten) {
  const std::string missing = (folder.path() / "none" / "secret").string();
  EXPECT_TRUE(replace_private_file(missing, first).error().starts_with(missing + ": "));
  EXPECT_TRUE(make_private_file(missing, first).error().starts_with(missing + ": "));
  EXPECT_TRUE(try_lock_file(missing).error().starts_with(missing + ": "));
}

TEST_F(PrivateFile, IsLockedOnceAtATime) {
  ASSERT_TRUE(replace_private_file(file(), first));
  {
    const auto held = try_lock_file(file());
    ASSERT_TRUE(held);
    EXPECT_TRUE(held->is_open());
    const auto other = try_lock_file(file());
    ASSERT_TRUE(other);
    EXPECT_FALSE(other->is_open());
  }
  EXPECT_TRUE(try_lock_file(file())->is_open());
}

}  // namespace
}  // namespace sluice::interop::common
