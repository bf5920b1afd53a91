#include "tools/coap_answer.h"

#include <gmock/gmock.h>

#include <initializer_list>

namespace sluice::interop::tools {
namespace {

dtls::Buffer coap_message(std::initializer_list<unsigned> values) {
  dtls::Buffer message;
  for (const unsigned value : values) message.push_back(static_cast<std::byte>(value));
  return message;
}

std::optional<dtls::Buffer> answer_to(std::initializer_list<unsigned> values) {
  return answer_to_coap(coap_message(values));
}

// RFC 7252 section 5.2.1: an acknowledgement with the request's message ID and token.
TEST(CoapAnswer, AConfirmableRequestGetsContentInItsAcknowledgement) {
  EXPECT_EQ(answer_to({0x42, 0x01, 0x7a, 0x02, 0xaa, 0xbb, 0xb4}),
            coap_message({0x62, 0x45, 0x7a, 0x02, 0xaa, 0xbb, 0xff, 's', 'l', 'u', 'i', 'c', 'e'}));
}

TEST(CoapAnswer, ANonConfirmableRequestGetsANonConfirmableAnswer) {
  EXPECT_EQ(answer_to({0x50, 0x01, 0x7a, 0x02}),
            coap_message({0x50, 0x45, 0x7a, 0x02, 0xff, 's', 'l', 'u', 'i', 'c', 'e'}));
}

// RFC 7252 section 4.3: the "CoAP ping".
TEST(CoapAnswer, AnEmptyConfirmableMessageGetsAReset) {
  EXPECT_EQ(answer_to({0x40, 0x00, 0x7a, 0x01}), coap_message({0x70, 0x00, 0x7a, 0x01}));
  EXPECT_EQ(answer_to({0x50, 0x00, 0x7a, 0x01}), std::nullopt);
}

TEST(CoapAnswer, WhatIsNoRequestGetsNoAnswer) {
  EXPECT_EQ(answer_to({0x60, 0x45, 0x7a, 0x02}), std::nullopt);        // an acknowledgement
  EXPECT_EQ(answer_to({0x70, 0x00, 0x7a, 0x02}), std::nullopt);        // a reset
  EXPECT_EQ(answer_to({0x40, 0x45, 0x7a, 0x02}), std::nullopt);        // a response's code
  EXPECT_EQ(answer_to({0x80, 0x01, 0x7a, 0x02}), std::nullopt);        // version 2
  EXPECT_EQ(answer_to({0x40, 0x01, 0x7a}), std::nullopt);              // no whole header
  EXPECT_EQ(answer_to({0x42, 0x01, 0x7a, 0x02, 0xaa}), std::nullopt);  // no whole token
  // RFC 7252 section 3: lengths 9 to 15 are a message format error.
  EXPECT_EQ(answer_to({0x49, 0x01, 0x7a, 0x02, 1, 2, 3, 4, 5, 6, 7, 8, 9}), std::nullopt);
}

}  // namespace
}  // namespace sluice::interop::tools
