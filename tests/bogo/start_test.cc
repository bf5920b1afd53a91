// That the shim starts and says what it can't do; its real test is BoringSSL's runner
// (docs/bogo.md).
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <string>

#include "bogo/flags.h"

namespace sluice::bogo {
namespace {

struct Ended {
  int status;
  std::string output;
};

Ended run_shim(const std::string& arguments) {
  std::FILE* pipe = popen((SLUICE_BOGO_SHIM " " + arguments + " 2>&1").c_str(), "r");
  if (pipe == nullptr) return {-1, "popen"};
  std::string output;
  std::array<char, 256> piece{};
  while (std::fgets(piece.data(), piece.size(), pipe) != nullptr) output += piece.data();
  return {WEXITSTATUS(pclose(pipe)), output};
}

TEST(BogoShim, HasNoHandshaker) {
  const auto [status, output] = run_shim("-is-handshaker-supported");
  EXPECT_EQ(status, 0);
  EXPECT_EQ(output, "No\n");
}

TEST(BogoShim, NamesTheFlagThatItDoesNotKnow) {
  const auto [status, output] = run_shim("-dtls -no-such-flag");
  EXPECT_EQ(status, kUnimplemented);
  EXPECT_THAT(output, testing::HasSubstr("-no-such-flag"));
}

TEST(BogoShim, LeavesStreamsAlone) {
  EXPECT_EQ(run_shim("-port 1 -shim-id 1").status, kUnimplemented);
}

// The runner tests what an implementation says that may use none of its versions.
TEST(BogoShim, RefusesVersionsThatTheEngineLacks) {
  const auto [status, output] = run_shim("-dtls -max-version 65279");
  EXPECT_EQ(status, 1);
  EXPECT_THAT(output, testing::HasSubstr("max_version: below min_version"));
}

TEST(BogoShim, FailsWithoutARunner) {
  // No listener has port 0.
  const auto [status, output] = run_shim("-dtls -ipv6 -port 0 -shim-id 1");
  EXPECT_EQ(status, 1);
  EXPECT_THAT(output, testing::HasSubstr("connect: "));
  EXPECT_THAT(output, testing::EndsWith("--- DONE ---\n"));
}

}  // namespace
}  // namespace sluice::bogo
