// Files that the recorder writes: key log and capture.
#include "common/recorder.h"

#include <gmock/gmock.h>
#include <sluice/dtls/connection.h>

#include <algorithm>
#include <filesystem>
#include <sstream>

#include "common/clock.h"
#include "support/endpoints.h"
#include "support/pcapng_file.h"

namespace sluice::interop::common {
namespace {

using testing::HasSubstr;

class RecorderTest : public testing::Test {
 protected:
  // Each test has its own folder.
  void SetUp() override {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    folder_ = std::filesystem::path(testing::TempDir()) / (std::string("sluice_") + test->name());
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directory(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] std::string file(const char* name) const { return folder_ / name; }
  [[nodiscard]] std::string content(const char* name) const {
    std::ostringstream text;
    text << std::ifstream(file(name), std::ios::binary).rdbuf();
    return std::move(text).str();
  }

  static void call(Recorder& recorder) {
    auto environment =
        test::must(dtls::Environment::make({.key_log = &recorder, .packet_observer = &recorder}));
    const auto config = test::make_config();
    test::Peer client(
        test::must(dtls::Connection::client(config, environment, test::kPath, now())));
    test::Peer server(
        test::must(dtls::Connection::server(config, environment, test::kPath, now())));
    test::exchange(client, server, now());
    EXPECT_TRUE(client.connected && server.connected);
  }

  static constexpr const char* kKeys = "keys";
  static constexpr const char* kCapture = "capture";

 private:
  std::filesystem::path folder_;
};

TEST_F(RecorderTest, TheCaptureHoldsTheCallAndItsSecretsWithTheTimeOfDay) {
  const auto begin = std::chrono::system_clock::now().time_since_epoch();
  {
    Recorder recorder({.capture = file(kCapture)});
    ASSERT_TRUE(recorder.ok());
    call(recorder);
  }
  const auto end = std::chrono::system_clock::now().time_since_epoch();
  const auto bytes = content(kCapture);
  const auto read = test::read_pcapng(std::as_bytes(std::span(bytes)));
  EXPECT_GE(read.packets.size(), 2 * 4);
  EXPECT_EQ(read.key_log.size(), 2 * 5);
  for (const auto& packet : read.packets) {
    const std::chrono::microseconds time{packet.time};
    // The capture has the time of day, not the steady clock. An hour allows for a clock that is set
    // meanwhile.
    EXPECT_GE(time + std::chrono::hours{1}, begin);
    EXPECT_LE(time - std::chrono::hours{1}, end);
  }
}

TEST_F(RecorderTest, TheKeyLogGrows) {
  for (int i = 1; i <= 2; ++i) {
    Recorder recorder({.key_log = file(kKeys)});
    ASSERT_TRUE(recorder.ok());
    call(recorder);
    const auto text = content(kKeys);
    EXPECT_EQ(std::ranges::count(text, '\n'), i * 2 * 5) << text;
    EXPECT_THAT(text, HasSubstr("EXPORTER_SECRET "));
  }
}

TEST_F(RecorderTest, ItNoticesAFileThatCantBeWritten) {
  EXPECT_FALSE(Recorder({.key_log = file("no/such/folder")}).ok());
  EXPECT_FALSE(Recorder({.capture = file("no/such/folder")}).ok());
  EXPECT_TRUE(Recorder({}).ok());
}

}  // namespace
}  // namespace sluice::interop::common
