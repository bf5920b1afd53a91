// libnice's STUN library as the peer: each reads and verifies what the other writes.
#include <gtest/gtest.h>

#include "support/nice_stun.h"
#include "support/stun_messages.h"

namespace sluice::stun {
namespace {

using dtls::Buffer;

constexpr const char* kUsername = "evtj:h6vY";

class StunNicePeer : public testing::Test {
 protected:
  // Ours, decoded and verified; it shows what libnice has last written.
  Message read(dtls::Bytes bytes) {
    received_ = test::copy_of(bytes);
    EXPECT_FALSE(received_.empty()) << "libnice has written nothing";
    const auto message = decode(received_);
    if (!message) {
      ADD_FAILURE() << to_string(message.error());
      return {};
    }
    EXPECT_TRUE(message->has_fingerprint);
    return *message;
  }
  bool verify(const Message& message, const IntegrityKey& key) {
    return verify_integrity(message, test::environment(), key);
  }

  // A check of ours that libnice has taken.
  void take_check() {
    sent_ = test::written_check(key_);
    ASSERT_EQ(nice_.validate(sent_), STUN_VALIDATION_SUCCESS);
  }

  // A check of libnice's, whose answers libnice will expect.
  Message nice_check() {
    nice_.start_request();
    stun_message_append32(&nice_.sent(), STUN_ATTRIBUTE_PRIORITY, 0x6e0001ff);
    stun_message_append64(&nice_.sent(), STUN_ATTRIBUTE_ICE_CONTROLLING, 0x932ff9b151263b36);
    stun_message_append_flag(&nice_.sent(), STUN_ATTRIBUTE_USE_CANDIDATE);
    stun_message_append_string(&nice_.sent(), STUN_ATTRIBUTE_USERNAME, kUsername);
    return read(nice_.finish());
  }

  template <class Write>
  Buffer answer(const Message& request, MessageClass message_class, Write write) {
    Buffer out(512);
    Writer writer(out, message_class, request.method, request.transaction);
    write(writer);
    out.resize(test::must(writer.finish(test::environment(), key_)));
    return out;
  }

  test::NiceStun nice_{kUsername, test::kIcePassword};
  IntegrityKey key_ = test::ice_key();
  IntegrityKey wrong_ = test::ice_key("VOkJxbRl1RmTxUk/WvJxBu");
  Buffer received_;
  Buffer sent_;
};

TEST_F(StunNicePeer, WeReadItsChecks) {
  const Message check = nice_check();
  EXPECT_EQ(check.message_class, MessageClass::request);
  EXPECT_EQ(check.method, Method::binding);
  EXPECT_EQ(test::copy_of(check.username.value()), test::buffer_of(kUsername));
  EXPECT_EQ(check.priority, 0x6e0001ffU);
  EXPECT_EQ(check.ice_controlling, 0x932ff9b151263b36U);
  EXPECT_TRUE(check.use_candidate);
  EXPECT_TRUE(check.unknown.empty());
  EXPECT_TRUE(verify(check, key_));
  EXPECT_FALSE(verify(check, wrong_));
}

TEST_F(StunNicePeer, ItReadsOurChecks) {
  take_check();
  EXPECT_EQ(stun_message_get_class(&nice_.received()), STUN_REQUEST);
  EXPECT_EQ(stun_message_get_method(&nice_.received()), STUN_BINDING);
  std::uint32_t priority = 0;
  EXPECT_EQ(stun_message_find32(&nice_.received(), STUN_ATTRIBUTE_PRIORITY, &priority),
            STUN_MESSAGE_RETURN_SUCCESS);
  EXPECT_EQ(priority, 0x6e0001ffU);
  std::uint64_t tie_breaker = 0;
  EXPECT_EQ(stun_message_find64(&nice_.received(), STUN_ATTRIBUTE_ICE_CONTROLLING, &tie_breaker),
            STUN_MESSAGE_RETURN_SUCCESS);
  EXPECT_EQ(tie_breaker, 0x932ff9b151263b36U);
  EXPECT_EQ(stun_message_find_flag(&nice_.received(), STUN_ATTRIBUTE_USE_CANDIDATE),
            STUN_MESSAGE_RETURN_SUCCESS);
  StunTransactionId id;
  stun_message_id(&nice_.received(), id);
  // libnice's ID has the magic cookie in front.
  EXPECT_EQ(test::to_hex(std::as_bytes(std::span(id)).subspan(4)),
            test::to_hex(test::kTransaction));
}

TEST_F(StunNicePeer, ItRefusesAChangedCheckAndAnotherPassword) {
  EXPECT_EQ(nice_.validate(test::written_check(wrong_)), STUN_VALIDATION_UNAUTHORIZED);
  Buffer changed = test::written_check(key_);
  changed[10] ^= std::byte{1};
  EXPECT_NE(nice_.validate(changed), STUN_VALIDATION_SUCCESS);
}

TEST_F(StunNicePeer, WeReadItsResponses) {
  for (const auto& endpoint : {test::kIpv4Endpoint, test::kIpv6Endpoint}) {
    take_check();
    nice_.start_response();
    ASSERT_TRUE(nice_.append_xor_mapped_address(endpoint));
    const Message response = read(nice_.finish());
    EXPECT_EQ(response.message_class, MessageClass::success_response);
    EXPECT_EQ(response.transaction, test::kTransaction);
    EXPECT_EQ(response.xor_mapped_address, endpoint);
    EXPECT_TRUE(verify(response, key_));
    EXPECT_FALSE(verify(response, wrong_));
  }
}

TEST_F(StunNicePeer, ItReadsOurResponses) {
  for (const auto& endpoint : {test::kIpv4Endpoint, test::kIpv6Endpoint}) {
    const Message check = nice_check();
    const Buffer response = answer(check, MessageClass::success_response, [&](Writer& writer) {
      writer.software("Sluice");
      writer.xor_mapped_address(endpoint);
    });
    ASSERT_EQ(nice_.validate(response), STUN_VALIDATION_SUCCESS);
    EXPECT_EQ(stun_message_get_class(&nice_.received()), STUN_RESPONSE);
    EXPECT_EQ(nice_.xor_mapped_address(), endpoint);
  }
}

TEST_F(StunNicePeer, ItReadsOurRoleConflict) {
  const Message check = nice_check();
  const Buffer response = answer(check, MessageClass::error_response,
                                 [](Writer& writer) { writer.error_code(487, "Role Conflict"); });
  ASSERT_EQ(nice_.validate(response), STUN_VALIDATION_SUCCESS);
  int code = 0;
  EXPECT_EQ(stun_message_find_error(&nice_.received(), &code), STUN_MESSAGE_RETURN_SUCCESS);
  EXPECT_EQ(code, STUN_ERROR_ROLE_CONFLICT);
}

TEST_F(StunNicePeer, WeReadItsRoleConflict) {
  take_check();
  nice_.start_error(STUN_ERROR_ROLE_CONFLICT);
  const Message response = read(nice_.finish());
  EXPECT_EQ(response.message_class, MessageClass::error_response);
  EXPECT_EQ(response.error_code, 487);
  EXPECT_FALSE(response.error_reason.empty());
  EXPECT_TRUE(verify(response, key_));
}

// A comprehension-required attribute that neither knows.
constexpr std::uint16_t kUnknownType = 0x7e57;

TEST_F(StunNicePeer, WeReadItsRefusalOfUnknownAttributes) {
  // Writer has no attributes of unknown types: the body is made by hand and sealed by libnice.
  test::NiceStun other(kUsername, test::kIcePassword);
  other.start_request();
  stun_message_append32(&other.sent(), static_cast<StunAttribute>(kUnknownType), 1);
  stun_message_append_string(&other.sent(), STUN_ATTRIBUTE_USERNAME, kUsername);
  sent_ = test::copy_of(other.finish());
  ASSERT_EQ(nice_.validate(sent_), STUN_VALIDATION_UNKNOWN_REQUEST_ATTRIBUTE);
  const Message response = read(nice_.unknown_attributes_error());
  EXPECT_EQ(response.message_class, MessageClass::error_response);
  EXPECT_EQ(response.error_code, 420);
  EXPECT_EQ(response.unknown_to_peer, test::unknown_types({kUnknownType}));
}

TEST_F(StunNicePeer, ItReadsOurRefusalOfUnknownAttributes) {
  nice_.start_request();
  stun_message_append32(&nice_.sent(), static_cast<StunAttribute>(kUnknownType), 1);
  stun_message_append_string(&nice_.sent(), STUN_ATTRIBUTE_USERNAME, kUsername);
  const Message check = read(nice_.finish());
  EXPECT_EQ(check.unknown, test::unknown_types({kUnknownType}));
  EXPECT_TRUE(verify(check, key_));
  const Buffer response = answer(check, MessageClass::error_response, [&](Writer& writer) {
    writer.error_code(420, "Unknown Attribute");
    writer.unknown_attributes(check.unknown);
  });
  ASSERT_EQ(nice_.validate(response), STUN_VALIDATION_SUCCESS);
  int code = 0;
  EXPECT_EQ(stun_message_find_error(&nice_.received(), &code), STUN_MESSAGE_RETURN_SUCCESS);
  EXPECT_EQ(code, STUN_ERROR_UNKNOWN_ATTRIBUTE);
  std::uint16_t size = 0;
  const auto* types = static_cast<const std::uint8_t*>(
      stun_message_find(&nice_.received(), STUN_ATTRIBUTE_UNKNOWN_ATTRIBUTES, &size));
  ASSERT_NE(types, nullptr);
  ASSERT_EQ(size, 2U);
  EXPECT_EQ(types[0] << 8 | types[1], kUnknownType);
}

// RFC 8489 section 9.1.3: without a shared secret an error has no MESSAGE-INTEGRITY.
TEST_F(StunNicePeer, BothReadErrorsWithoutIntegrity) {
  sent_ = test::written_check(wrong_);
  ASSERT_EQ(nice_.validate(sent_), STUN_VALIDATION_UNAUTHORIZED);
  nice_.start_error(STUN_ERROR_UNAUTHORIZED);
  // Sealed with no key, as libnice's agent does it then.
  const size_t size = stun_agent_finish_message(nice_.sent().agent, &nice_.sent(), nullptr, 0);
  const Message response = read(std::as_bytes(std::span(nice_.sent().buffer, size)));
  EXPECT_EQ(response.error_code, 401);
  EXPECT_FALSE(response.integrity_at);

  const Message check = nice_check();
  Buffer out(512);
  Writer writer(out, MessageClass::error_response, check.method, check.transaction);
  writer.error_code(400, "Bad Request");
  out.resize(test::must(writer.finish()));
  nice_.validate(out);
  int code = 0;
  EXPECT_EQ(stun_message_find_error(&nice_.received(), &code), STUN_MESSAGE_RETURN_SUCCESS);
  EXPECT_EQ(code, STUN_ERROR_BAD_REQUEST);
}

}  // namespace
}  // namespace sluice::stun
