// STUN messages of any content, written without sluice::stun.
#pragma once

#include <sluice/dtls/bytes.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::test {

// One message, attribute by attribute, valid or not.
class StunBytes {
 public:
  using Transaction = std::array<std::byte, 12>;

  StunBytes(std::uint16_t type, const Transaction& transaction);

  StunBytes& add(std::uint16_t type, dtls::Bytes value);
  StunBytes& add(std::uint16_t type, std::string_view value);
  StunBytes& add32(std::uint16_t type, std::uint32_t value);
  StunBytes& add64(std::uint16_t type, std::uint64_t value);
  // MESSAGE-INTEGRITY, by libcrypto's HMAC-SHA1.
  StunBytes& integrity(std::string_view pwd);
  StunBytes& fingerprint();

  [[nodiscard]] const dtls::Buffer& bytes() const { return bytes_; }

 private:
  void set_length(std::size_t more);

  dtls::Buffer bytes_;
};

// A check as a full agent sends it; each field may be left out.
struct CheckFields {
  std::string username = {};  // "<server's ufrag>:<client's ufrag>"; empty: none
  std::string pwd = {};       // the server's; empty: no MESSAGE-INTEGRITY
  std::optional<std::uint32_t> priority = 1'000'000;
  bool use_candidate = false;
  enum class Role : std::uint8_t { none, controlling, controlled } role = Role::controlling;
  std::optional<std::uint32_t> nomination = {};
  std::optional<std::uint16_t> other_attribute = {};
  // DTLS in STUN: a datagram; an acknowledgement of none comes with it.
  std::optional<dtls::Buffer> dtls_in_stun = {};
  bool has_fingerprint = true;
  std::uint16_t type = 0x0001;
  // Empty: one that no check before had.
  std::optional<StunBytes::Transaction> transaction = {};
};
dtls::Buffer make_check(const CheckFields& fields);

}  // namespace sluice::test
