// The messages of a client's second flight, and the alert.
#include <gtest/gtest.h>

#include "message/alert.h"
#include "message/client_key_exchange.h"
#include "message/digital_signature.h"
#include "message/finished.h"
#include "unit/dtls/message/exactness.h"

namespace sluice::dtls::message {
namespace {

using test::expect_exact;
using test::from_hex;
using test::kDecode;
using test::to_hex;

TEST(ClientKeyExchange, WhatIsWrittenIsReadWholeOnly) {
  Buffer body;
  wire::Writer writer(body);
  put_client_key_exchange(writer, test::counted(65));
  const auto exchange = ClientKeyExchange::decode(body);
  ASSERT_TRUE(exchange);
  EXPECT_EQ(to_hex(exchange->point), to_hex(test::counted(65)));
  expect_exact(body, kDecode<ClientKeyExchange>);
}

// RFC 8422 section 5.7: opaque point <1..2^8-1>; the implicit (empty) form is for fixed ECDH.
TEST(ClientKeyExchange, HasAPoint) {
  EXPECT_FALSE(ClientKeyExchange::decode(from_hex("00")));
  EXPECT_TRUE(ClientKeyExchange::decode(from_hex("ff" + std::string(510, '2'))));
}

TEST(CertificateVerify, WhatIsWrittenIsReadWholeOnly) {
  Buffer body;
  wire::Writer writer(body);
  put_digital_signature(writer, SignatureScheme::rsa_pss_rsae_sha384, test::counted(256));
  const auto verify = CertificateVerify::decode(body);
  ASSERT_TRUE(verify);
  EXPECT_EQ(verify->scheme, SignatureScheme::rsa_pss_rsae_sha384);
  EXPECT_EQ(to_hex(verify->signature), to_hex(test::counted(256)));
  expect_exact(body, kDecode<CertificateVerify>);
}

TEST(CertificateVerify, AnEmptySignatureIsSyntaxToo) {
  // opaque signature<0..2^16-1> (RFC 5246 section 4.7): that it can't verify is another matter.
  EXPECT_TRUE(CertificateVerify::decode(from_hex("0403 0000")));
  EXPECT_FALSE(CertificateVerify::decode(from_hex("0403 ffff 00")));
}

TEST(Finished, IsItsVerifyData) {
  const Buffer body = test::counted(12);
  const auto finished = Finished::decode(body);
  ASSERT_TRUE(finished);
  EXPECT_EQ(to_hex(finished->verify_data), to_hex(body));
}

TEST(Alert, WhatIsWrittenIsReadWholeOnly) {
  const AlertMessage alert{AlertLevel::fatal, Alert::bad_certificate};
  const auto encoding = alert.encode();
  EXPECT_EQ(to_hex(encoding), "022a");
  const auto decoded = AlertMessage::decode(encoding);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->level, AlertLevel::fatal);
  EXPECT_EQ(decoded->description, Alert::bad_certificate);
  expect_exact(encoding, kDecode<AlertMessage>);
}

TEST(Alert, HasTwoLevelsAndAnyDescription) {
  EXPECT_TRUE(AlertMessage::decode(from_hex("01 00")));
  EXPECT_FALSE(AlertMessage::decode(from_hex("00 00")));
  EXPECT_FALSE(AlertMessage::decode(from_hex("03 00")));
  EXPECT_FALSE(AlertMessage::decode(from_hex("ff 28")));
  // One that this engine has no name for is still an alert.
  const auto unknown = AlertMessage::decode(from_hex("02 fe"));
  ASSERT_TRUE(unknown);
  EXPECT_EQ(unknown->description, Alert{0xfe});
}

}  // namespace
}  // namespace sluice::dtls::message
