// What the tests of crypto share.
#pragma once

#include <gtest/gtest.h>
#include <openssl/err.h>

#include "crypto/library.h"
#include "support/bytes.h"
#include "support/endpoints.h"

namespace sluice::test {

// After every test libcrypto's error queue must be empty, whatever was refused in it.
class CryptoTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(ERR_peek_error(), 0U) << "left by an earlier test"; }
  void TearDown() override {
    EXPECT_EQ(ERR_peek_error(), 0U) << ERR_error_string(ERR_peek_error(), nullptr);
    ERR_clear_error();
  }

  static dtls::crypto::Library& library() { return environment().library(); }
};

}  // namespace sluice::test
