#include "support/nice_stun.h"

#include <sluice/dtls/socket_address.h>

#include <span>

namespace sluice::test {

NiceStun::NiceStun(std::string_view username, std::string_view password)
    : username_(username), password_(password) {
  stun_agent_init(&agent_, STUN_ALL_KNOWN_ATTRIBUTES, STUN_COMPATIBILITY_RFC5389,
                  static_cast<StunAgentUsageFlags>(STUN_AGENT_USAGE_SHORT_TERM_CREDENTIALS |
                                                   STUN_AGENT_USAGE_USE_FINGERPRINT));
}

bool NiceStun::password_of(StunAgent* /*agent*/, StunMessage* /*message*/, uint8_t* username,
                           uint16_t username_size, uint8_t** password, size_t* password_size,
                           void* self) {
  auto& nice = *static_cast<NiceStun*>(self);
  // A response has no USERNAME.
  if (username != nullptr &&
      std::string_view(reinterpret_cast<const char*>(username), username_size) != nice.username_) {
    return false;
  }
  *password = nice.password();
  *password_size = nice.password_.size();
  return true;
}

StunValidationStatus NiceStun::validate(dtls::Bytes bytes) {
  return stun_agent_validate(&agent_, &received_, reinterpret_cast<const uint8_t*>(bytes.data()),
                             bytes.size(), &NiceStun::password_of, this);
}

void NiceStun::start_request() {
  stun_agent_init_request(&agent_, &sent_, buffer_.data(), buffer_.size(), STUN_BINDING);
}

void NiceStun::start_response() {
  stun_agent_init_response(&agent_, &sent_, buffer_.data(), buffer_.size(), &received_);
}

void NiceStun::start_error(StunError code) {
  stun_agent_init_error(&agent_, &sent_, buffer_.data(), buffer_.size(), &received_, code);
}

dtls::Bytes NiceStun::finish() {
  const size_t size = stun_agent_finish_message(&agent_, &sent_, password(), password_.size());
  return std::as_bytes(std::span(buffer_)).first(size);
}

dtls::Bytes NiceStun::unknown_attributes_error() {
  const size_t size = stun_agent_build_unknown_attributes_error(&agent_, &sent_, buffer_.data(),
                                                                buffer_.size(), &received_);
  return std::as_bytes(std::span(buffer_)).first(size);
}

std::optional<dtls::UdpEndpoint> NiceStun::xor_mapped_address() const {
  dtls::SocketAddress address;
  if (stun_message_find_xor_addr(&received_, STUN_ATTRIBUTE_XOR_MAPPED_ADDRESS, &address.storage,
                                 &address.size) != STUN_MESSAGE_RETURN_SUCCESS) {
    return std::nullopt;
  }
  return dtls::to_udp_endpoint(address);
}

bool NiceStun::append_xor_mapped_address(const dtls::UdpEndpoint& endpoint) {
  const dtls::SocketAddress address = dtls::to_socket_address(endpoint);
  return stun_message_append_xor_addr(&sent_, STUN_ATTRIBUTE_XOR_MAPPED_ADDRESS, &address.storage,
                                      address.size) == STUN_MESSAGE_RETURN_SUCCESS;
}

}  // namespace sluice::test
