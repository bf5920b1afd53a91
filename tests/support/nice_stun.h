// libnice's STUN library, set up as libnice's ICE agent does it: a peer to compare with.
#pragma once

#include <sluice/dtls/bytes.h>
#include <sluice/dtls/udp_endpoint.h>
#include <stun/stunagent.h>

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::test {

// The end of an exchange that libnice plays, with one credential. Not to be moved: libnice's
// messages point into it.
class NiceStun {
 public:
  NiceStun(std::string_view username, std::string_view password);
  NiceStun(const NiceStun&) = delete;
  NiceStun& operator=(const NiceStun&) = delete;

  // Whether libnice takes the message, with the credential and FINGERPRINT. What it says of it can
  // then be read from received(), as long as `bytes` live.
  StunValidationStatus validate(dtls::Bytes bytes);
  const StunMessage& received() const { return received_; }

  // Starts a message; attributes follow by stun_message_append_*(&sent(), ...), then finish().
  void start_request();
  void start_response();  // to received()
  void start_error(StunError code);
  StunMessage& sent() { return sent_; }
  // With MESSAGE-INTEGRITY and FINGERPRINT; empty if libnice fails. Valid until the next start.
  dtls::Bytes finish();
  // Error 420 for received(), whole.
  dtls::Bytes unknown_attributes_error();

  // Of received().
  std::optional<dtls::UdpEndpoint> xor_mapped_address() const;
  bool append_xor_mapped_address(const dtls::UdpEndpoint& endpoint);

 private:
  static bool password_of(StunAgent* agent, StunMessage* message, uint8_t* username,
                          uint16_t username_size, uint8_t** password, size_t* password_size,
                          void* self);
  uint8_t* password() { return reinterpret_cast<uint8_t*>(password_.data()); }

  std::string username_;
  std::string password_;
  StunAgent agent_{};
  StunMessage received_{};
  StunMessage sent_{};
  std::array<uint8_t, 2048> buffer_{};
};

}  // namespace sluice::test
