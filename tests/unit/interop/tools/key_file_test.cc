// The keys that the servers of a cluster share.
#include "tools/key_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace sluice::interop::tools {
namespace {

dtls::SecretBytes filled(std::size_t size, unsigned value) {
  return dtls::SecretBytes(dtls::Buffer(size, static_cast<std::byte>(value)));
}

KeySet some_keys() {
  return {dtls::StateKeyId{7}, filled(dtls::StateKeys::kKeySize, 1), filled(57, 2), filled(53, 3)};
}

dtls::Buffer copy_of(dtls::Bytes bytes) { return {bytes.begin(), bytes.end()}; }

void expect_same(const KeySet& one, const KeySet& other) {
  EXPECT_EQ(copy_of(encode(one).bytes()), copy_of(encode(other).bytes()));
}

class KeyFile : public testing::Test {
 protected:
  KeyFile() {
    std::string name = (std::filesystem::temp_directory_path() / "sluice-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
    folder_ = name;
  }
  ~KeyFile() override {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  [[nodiscard]] std::string file() const { return folder_ / "keys"; }

 private:
  std::filesystem::path folder_;
};

tl::expected<KeySet, std::string> make_none() { return tl::unexpected<std::string>("made"); }

TEST(KeySet, IsReadAsItWasWritten) {
  const auto read = decode_keys(encode(some_keys()).bytes());
  ASSERT_TRUE(read) << read.error();
  expect_same(*read, some_keys());
  EXPECT_EQ(read->state_key_id, dtls::StateKeyId{7});
}

TEST(KeySet, IsRefusedInAnyOtherForm) {
  const dtls::SecretBytes keys = encode(some_keys());
  for (std::size_t size = 0; size < keys.size(); ++size) {
    EXPECT_FALSE(decode_keys(keys.bytes().first(size))) << size;
  }
  dtls::Buffer longer = copy_of(keys.bytes());
  longer.push_back({});
  EXPECT_FALSE(decode_keys(longer));
  longer.pop_back();
  longer.front() = std::byte{'S'};
  EXPECT_FALSE(decode_keys(longer));
}

TEST_F(KeyFile, IsMadeOnceForItsOwnerAlone) {
  const auto made = read_or_make_keys(file(), some_keys);
  ASSERT_TRUE(made) << made.error();
  struct stat status{};
  ASSERT_EQ(stat(file().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
  const auto again = read_or_make_keys(file(), make_none);
  ASSERT_TRUE(again) << again.error();
  expect_same(*again, *made);
  const std::filesystem::directory_iterator files(std::filesystem::path(file()).parent_path());
  EXPECT_EQ(std::distance(begin(files), end(files)), 1) << "no draft is left";
}

TEST_F(KeyFile, ThatAnotherProcessMakesMeanwhileIsTaken) {
  const auto slower = read_or_make_keys(file(), [this] {
    EXPECT_TRUE(read_or_make_keys(file(), some_keys));
    KeySet others = some_keys();
    others.state_key_id = dtls::StateKeyId{8};
    return tl::expected<KeySet, std::string>(std::move(others));
  });
  ASSERT_TRUE(slower) << slower.error();
  expect_same(*slower, some_keys());
}

TEST_F(KeyFile, IsRefusedWhereOthersCanReadItOrItHasOtherContents) {
  ASSERT_TRUE(read_or_make_keys(file(), some_keys));
  ASSERT_EQ(chmod(file().c_str(), 0640), 0);
  EXPECT_FALSE(read_or_make_keys(file(), some_keys));
  ASSERT_EQ(chmod(file().c_str(), 0600), 0);
  std::ofstream(file(), std::ios::trunc) << "something else";
  EXPECT_FALSE(read_or_make_keys(file(), some_keys));
}

TEST_F(KeyFile, TellsWhyThereIsNone) {
  EXPECT_EQ(read_or_make_keys(file(), make_none).error(), "made");
  EXPECT_FALSE(read_or_make_keys(file() + "/below", some_keys));
}

}  // namespace
}  // namespace sluice::interop::tools
